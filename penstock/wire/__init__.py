"""Protocols without I/O: bytes in, frames out."""
