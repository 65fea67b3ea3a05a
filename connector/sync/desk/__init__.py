"""What an operator sees of records that stand still or disagree, and does about them."""
