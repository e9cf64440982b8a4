"""Guardrails. May block a prompt (424/2016) or an answer (424/2017)."""

from typing import Protocol

from penstock.model.reply import Reply
from penstock.model.step import Step


class Guard(Protocol):
    """The stage on the line, before the call and after it."""

    async def inspect_request(self, step: Step) -> None:
        """Raises where the prompt must not be sent."""
        ...

    def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        """Puts a stage on the answer's way that may hold it back, or block it."""
        ...


class NullGuard(Guard):
    """No category is watched."""

    async def inspect_request(self, step: Step) -> None:
        """Finds nothing."""

    def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        """Hands on."""
        return reply
