"""What a compiled mapping consists of."""
