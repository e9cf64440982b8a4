"""The outside: one folder or file a technology."""
