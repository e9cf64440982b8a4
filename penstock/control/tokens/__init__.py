"""API tokens as a resource: made, listed, revoked, verified."""
