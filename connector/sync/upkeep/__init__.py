"""What looks after the service while nobody does: lost wakes, the ledger's balance, how things stand."""
