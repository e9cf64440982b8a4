"""API tokens as a resource: made, listed, changed, revoked, verified."""
