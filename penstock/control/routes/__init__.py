"""Dynamic routes as a resource."""
