"""The Salesforce edge: one org behind one seam, its refusals as faults, its limits as plans."""
