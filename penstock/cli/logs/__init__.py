"""``penstock logs``: the log beside a running server, or without one."""
