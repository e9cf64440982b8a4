"""Guardrails. May block a prompt (424/2016) or an answer (424/2017)."""

from typing import Protocol

from penstock.model.exchange import Exchange
from penstock.model.reply import Reply


class Guard(Protocol):
    """The stage on the line, before the call and after it."""

    async def inspect_request(self, ex: Exchange) -> None:
        """Raises where the prompt must not be sent."""
        ...

    def inspect_reply(self, ex: Exchange, reply: Reply) -> Reply:
        """Puts a stage on the answer's way that may hold it back, or block it."""
        ...


class NullGuard(Guard):
    """No category is watched."""

    async def inspect_request(self, ex: Exchange) -> None:
        """Finds nothing."""

    def inspect_reply(self, ex: Exchange, reply: Reply) -> Reply:
        """Hands on."""
        return reply
