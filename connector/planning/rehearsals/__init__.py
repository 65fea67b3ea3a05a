"""Rehearsals: documents in the shadow of the live ones."""
