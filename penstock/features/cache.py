"""Answers from memory. A hit skips everything that follows on the line."""

from typing import Protocol

from penstock.model.exchange import Exchange
from penstock.model.reply import Reply


class Cache(Protocol):
    """The stage on the line, before the call and after it."""

    async def lookup(self, ex: Exchange) -> Reply | None:
        """The stored answer, if there is one."""
        ...

    def capture(self, ex: Exchange, reply: Reply) -> Reply:
        """Puts a stage on the answer's way that keeps it, once it is complete."""
        ...


class NullCache(Cache):
    """Caching is off."""

    async def lookup(self, ex: Exchange) -> Reply | None:
        """Never a hit."""
        return None

    def capture(self, ex: Exchange, reply: Reply) -> Reply:
        """Keeps nothing."""
        return reply
