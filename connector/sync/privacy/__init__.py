"""What must not stay: old data by class, erased people, messages taken back."""
