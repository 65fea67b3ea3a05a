"""What can be wrong with a document beyond its shape, rule by rule."""
