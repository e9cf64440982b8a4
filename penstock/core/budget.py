"""A process-wide allowance of bytes."""

from penstock.core.errors import Overloaded


class Budget:
    """Counts bytes that are held; refuses beyond ``limit``."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def take(self, size: int) -> None:
        """Raises Overloaded where ``size`` more bytes would pass the limit."""
        if self.used + size > self.limit:
            raise Overloaded("The gateway holds as many request bytes as it may; try again.")
        self.used += size

    def give(self, size: int) -> None:
        self.used -= size
