"""What the middle of the house needs from outside: one Protocol a file."""
