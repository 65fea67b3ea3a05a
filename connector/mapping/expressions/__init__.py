"""CEL behind one door, and expressions simple enough to run without it."""
