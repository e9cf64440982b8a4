"""Providers of an account's own as a resource."""
