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
        if not self.try_take(size):
            raise Overloaded("The gateway holds as many request bytes as it may; try again.")

    def try_take(self, size: int) -> bool:
        """The same for what can be done without: False, and nothing is taken, where the limit would be passed."""
        used = self.used + size
        if used > self.limit:
            return False
        self.used = used
        return True

    def give(self, size: int) -> None:
        self.used -= size
