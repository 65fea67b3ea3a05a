"""The world outside, imitated: a LINE platform and a Salesforce org over their real protocols."""
