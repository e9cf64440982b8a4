"""The money of an account as a resource."""
