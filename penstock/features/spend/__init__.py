"""Money that calls may spend (docs/spend-limits.md): which limits hold for a call, what it may cost, and did cost."""
