"""What a call is: plain typed values, no I/O."""
