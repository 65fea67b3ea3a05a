"""The mapping language: documents that admins write, checked and compiled into two-way mappings."""
