"""Streams that would not report usage are asked for it, and the extra frame is hidden from the client.

The one exception to byte-exact forwarding (setting ``ask_usage``). Only the OpenAI chat dialect has anything to ask,
and not every provider that speaks it takes the question (``ask_usage`` of the catalogue's endpoint). Signed requests
are left alone: their body may not change.
"""

from penstock.core.budget import Budget
from penstock.model.exchange import Exchange
from penstock.model.reply import Reply
from penstock.providers.dialects import DIALECTS
from penstock.providers.dialects.openai_chat import HideUsage


class AskUsage:
    """Writes ``prompt``. ``budget``: bytes that all answers together may hold."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def ask(self, ex: Exchange) -> None:
        """Before the call: splices the question in."""
        request = ex.request
        if request.asked.stream and not request.asked.wants_usage and not request.signed():
            assert ex.plan is not None
            body, endpoint = request.body.whole(), ex.plan.targets[0].endpoint
            dialect = DIALECTS.get(endpoint.dialect)
            if body is not None and dialect is not None and endpoint.ask_usage:
                ex.prompt = dialect.ask_usage(body)

    def hide(self, ex: Exchange, reply: Reply) -> Reply:
        """After it: takes the extra frame out again."""
        if (
            ex.prompt is not None
            and (reply.header(b"content-type") or b"").startswith(b"text/event-stream")
            and reply.header(b"content-encoding") is None  # encoded against our wish: the frame cannot be found
        ):
            reply.length = None
            stage = HideUsage(reply.reading, self._budget.share(ex.request.account, ex.gateway.number))
            reply.stages.append(stage)
            ex.defer(stage.close)
        return reply


class NullAskUsage:
    """Leaves every stream as it is."""

    def ask(self, ex: Exchange) -> None:
        """Nothing."""

    def hide(self, ex: Exchange, reply: Reply) -> Reply:
        return reply
