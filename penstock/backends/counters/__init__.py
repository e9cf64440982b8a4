"""Counting places: in this process, and in Redis for all of them."""
