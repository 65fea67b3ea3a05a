"""SOQL: a grammar, a query as data, and its execution over the store."""
