"""Shipped test helpers: a server on real sockets, memory ports."""
