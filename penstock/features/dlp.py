"""Data loss prevention. May block a prompt (400/2029) or an answer (400/2030)."""

from typing import Protocol

from penstock.model.reply import Reply
from penstock.model.step import Step


class Dlp(Protocol):
    """The stage on the line, before the call and after it."""

    async def inspect_request(self, step: Step) -> None:
        """Raises where the prompt must not be sent."""
        ...

    async def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        """Waits for as much of the answer as it must see, or puts a stage on its way. Raises where it is blocked."""
        ...


class NullDlp(Dlp):
    """No policy looks for anything."""

    async def inspect_request(self, step: Step) -> None:
        """Finds nothing."""

    async def inspect_reply(self, step: Step, reply: Reply) -> Reply:
        """Hands on."""
        return reply
