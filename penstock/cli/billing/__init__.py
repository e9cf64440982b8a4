"""``penstock billing``: money, beside a running server or without one."""
