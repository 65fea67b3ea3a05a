"""What the service needs in an org, and how it comes there: fields, a permission set, its user."""
