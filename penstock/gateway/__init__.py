"""What an operator configured, ready to run."""
