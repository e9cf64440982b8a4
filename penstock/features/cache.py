"""Answers from memory. A hit skips everything that follows on the line."""

from penstock.model.exchange import Exchange
from penstock.model.reply import Reply


class NullCache:
    """Caching is off."""

    async def lookup(self, ex: Exchange) -> Reply | None:
        """Never a hit."""
        return None

    def capture(self, ex: Exchange, reply: Reply) -> Reply:
        """Keeps nothing."""
        return reply
