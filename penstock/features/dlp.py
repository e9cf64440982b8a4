"""Data loss prevention. May block a prompt (400/2029) or an answer (400/2030)."""

from typing import Protocol

from penstock.model.reply import Reply
from penstock.model.step import Step


class Dlp(Protocol):
    """The stage on the line, before the call and after it."""

    async def inspect_request(self, step: Step) -> None:
        """Raises where the prompt must not be sent."""
        ...

    def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        """Puts a stage on the answer's way that may hold it back, or block it."""
        ...


class NullDlp(Dlp):
    """No policy looks for anything."""

    async def inspect_request(self, step: Step) -> None:
        """Finds nothing."""

    def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        """Hands on."""
        return reply
