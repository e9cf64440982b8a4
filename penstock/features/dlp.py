"""Data loss prevention. May block a prompt (400/2029) or an answer (400/2030)."""

from penstock.model.exchange import Exchange
from penstock.model.reply import Reply


class NullDlp:
    """No policy looks for anything."""

    async def inspect_request(self, ex: Exchange) -> None:
        """Finds nothing."""

    def inspect_reply(self, ex: Exchange, reply: Reply) -> Reply:
        """Hands on."""
        return reply
