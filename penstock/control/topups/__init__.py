"""Top-ups of credit as a resource."""
