"""What administrators change: fields, objects and permissions, by the Metadata and Tooling APIs."""
