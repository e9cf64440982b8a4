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

UNASKED = (
    "usage not asked: the request body was not looked into, as it is too large or buffer_memory has no room for it"
)


class AskUsage:
    """Writes ``prompt``. ``budget``: bytes that all answers together may hold."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def ask(self, ex: Exchange) -> None:
        """Before the call: splices the question in."""
        assert ex.plan is not None
        request, endpoint = ex.request, ex.plan.targets[0].endpoint
        dialect = DIALECTS.get(endpoint.dialect)
        if dialect is None or not (dialect.asks and endpoint.ask_usage):
            return
        body = request.body.whole()
        if body is None or not (request.asked.model or request.asked.stream):
            ex.defer(_unasked)  # it was not looked into
        elif request.asked.stream and not request.asked.wants_usage and not request.signed():
            if request.body.reserve(len(body)):
                ex.prompt = dialect.ask_usage(body)
            else:
                ex.defer(_unasked)

    def hide(self, ex: Exchange, reply: Reply) -> Reply:
        """After it: takes the extra frame out again."""
        if (
            ex.prompt is not None
            and (reply.header(b"content-type") or b"").lower().startswith(b"text/event-stream")
            and reply.header(b"content-encoding") is None  # encoded against our wish: the frame cannot be found
        ):
            reply.length = None
            stage = HideUsage(reply.reading, self._budget.share(ex.request.account, ex.gateway.number))
            reply.stages.append(stage)
            ex.defer(stage.close)
        return reply


def _unasked(ex: Exchange) -> None:
    """The call ends; by now the meter knows what its answer told."""
    kind = (ex.reply.header(b"content-type") if ex.reply else None) or b""
    if kind.lower().startswith(b"text/event-stream") and not (ex.reported and ex.reported.usage):
        ex.warnings.append(UNASKED)


class NullAskUsage:
    """Leaves every stream as it is."""

    def ask(self, ex: Exchange) -> None:
        """Nothing."""

    def hide(self, ex: Exchange, reply: Reply) -> Reply:
        return reply
