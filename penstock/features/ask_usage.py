"""Streams that would not report usage are asked for it, and the extra frame is hidden from the client.

The one exception to byte-exact forwarding (setting ``ask_usage``). Only the OpenAI chat dialect has anything to ask,
and not every provider that speaks it takes the question (``ask_usage`` of the catalogue's endpoint). Signed requests
are left alone: their body may not change.
"""

from penstock.core.budget import Budget
from penstock.model.reply import Reply
from penstock.model.step import Step
from penstock.providers.compose import outgoing
from penstock.providers.dialects import DIALECTS, UsageFrame

UNASKED = (
    "usage not asked: the request body was not looked into, as it is too large or buffer_memory has no room for it"
)


class AskUsage:
    """Writes ``hides_usage``. ``budget``: bytes that all answers together may hold."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def sees(self, step: Step) -> bool:
        """Whether the body may be one to splice the question into."""
        return step.request.body.length is not None and _frame(step) is not None

    def ask(self, step: Step) -> None:
        """Before the call: splices the question in."""
        request, frame = step.request, _frame(step)
        if frame is None:
            return
        body = request.body.whole()
        if body is None or not (request.asked.model or request.asked.stream):
            step.defer(_unasked)  # it was not looked into
        elif request.asked.stream and not request.asked.wants_usage and not request.signed():
            if request.body.reserve(len(body)):
                self._splice(step, frame)
            else:
                step.defer(_unasked)

    def _splice(self, step: Step, frame: UsageFrame) -> None:
        sent = outgoing(step)
        if (asking := frame.ask(sent.body)) is not None:
            sent.body = asking
            sent.put(b"accept-encoding", b"identity")  # the stream will be read and changed on the way back
            step.hides_usage = True

    def hide(self, step: Step, reply: Reply) -> Reply:
        """After it: takes the extra frame out again."""
        if (
            step.hides_usage
            and (frame := _frame(step)) is not None
            and (reply.header(b"content-type") or b"").lower().startswith(b"text/event-stream")
            and reply.header(b"content-encoding") is None  # encoded against our wish: the frame cannot be found
        ):
            reply.length = None
            stage = frame.hide(reply.reading, self._budget.share(step.request.account, step.ex.gateway.number))
            reply.put(stage, changes=True)
            step.defer(stage.close)
        return reply


def _frame(step: Step) -> UsageFrame | None:
    """How a stream of that endpoint is asked for its usage; None: it cannot be."""
    endpoint = step.target.endpoint if step.target else None
    dialect = DIALECTS.get(endpoint.dialect) if endpoint and endpoint.ask_usage else None
    return dialect.usage_frame if dialect else None


def _unasked(step: Step) -> None:
    """The call ends; by now the meter knows what its answer told."""
    kind = (step.reply.header(b"content-type") if step.reply else None) or b""
    if kind.lower().startswith(b"text/event-stream") and not (step.reported and step.reported.usage):
        step.warnings.append(UNASKED)


class NullAskUsage:
    """Leaves every stream as it is."""

    def sees(self, step: Step) -> bool:
        """Needs no body."""
        return False

    def ask(self, step: Step) -> None:
        """Nothing."""

    def hide(self, step: Step, reply: Reply) -> Reply:
        return reply
