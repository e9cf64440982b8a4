"""What several dialects share: how bodies and events are looked into, and the values in them.

Peers choose what is in a body, so a shape names the members it takes as ``Raw``: nothing is decoded but a short piece
whose first byte says that it is what is wanted. Of a large body only the edges are looked at.
"""
