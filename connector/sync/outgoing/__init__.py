"""From claimed intents to rows in Salesforce, and how each attempt ended."""
