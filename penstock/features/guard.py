"""Guardrails. May block a prompt (424/2016) or an answer (424/2017)."""

from penstock.model.exchange import Exchange
from penstock.model.reply import Reply


class NullGuard:
    """No category is watched."""

    async def inspect_request(self, ex: Exchange) -> None:
        """Finds nothing."""

    def inspect_reply(self, ex: Exchange, reply: Reply) -> Reply:
        """Hands on."""
        return reply
