"""PostgreSQL: the tables, the transactions, and the moves of rows between states."""
