"""Methods of payment that need a library."""
