"""What accounts are billed, month by month."""
