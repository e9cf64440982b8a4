"""Money reserved and spent: counted in this process, and in Redis for all of them."""
