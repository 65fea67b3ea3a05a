"""The parts of the ground, each alone."""
