"""What is said of a picture whose container cannot be followed to its end."""


class Damaged(Exception):
    """The file is cut short, or is not built as its kind is."""
