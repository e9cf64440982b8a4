"""What an answer used and cost, read from the side: the bytes that travel are not touched, nor held up.

Always on. Writes ``answer``, ``answer_size``, ``reported``, ``cost`` and, where something could not be learnt, a line
of ``warnings``: when the call ends, however it ends, so the client has its bytes before a body is parsed. What a
stream said before it broke off, or before its client left, counts.
"""

from penstock.core.budget import Budget
from penstock.core.telemetry import Counter
from penstock.core.turns import Turns
from penstock.model.pace import Pace
from penstock.model.reply import Reply
from penstock.model.step import Step
from penstock.model.usage import Reported
from penstock.providers.charge import Charge
from penstock.providers.dialects import DIALECTS
from penstock.providers.prices import PriceBook
from penstock.providers.pricing import custom_cost
from penstock.providers.reading import Stream, Whole
from penstock.wire.framing import Cutter, cutter_of


class Meter:
    """``keep``: bytes of a decoded answer that the log may hold. A larger answer is not kept at all, nor any answer
    of a call that wants no bodies in the log.

    ``budget``: bytes that all answers together may hold while they run. An answer it has no room for passes unread.
    ``unread`` counts answers that were not read, or not kept, by gateway.
    """

    def __init__(self, prices: PriceBook, keep: int, budget: Budget, turns: Turns, unread: Counter) -> None:
        self._charge = Charge(prices)
        self._keep = keep
        self._budget = budget
        self._turns = turns
        self._unread = unread

    def count(self, step: Step, reply: Reply) -> Reply:
        """Puts a counting stage on the answer's way."""
        options, dialect = step.options, None
        if step.answered and step.target and 200 <= reply.status < 300:  # noqa: PLR2004
            dialect = DIALECTS.get(step.target.endpoint.dialect)
            if options.cost is not None and options.cost.total is not None:
                step.cost = custom_cost(None, options.cost)
        coding, cutter = _coding_and_cutter(reply)
        keep = self._keep if options.payloads else 0
        room = self._budget.share(step.request.account, step.ex.gateway.number)
        if dialect and cutter:
            reading = reply.reading = Stream(dialect, coding, keep, room, self._turns, cutter)
        else:
            reading = Whole(dialect, coding, keep, room, self._turns)
        if coding or cutter:
            reply.source = reading.pace = Pace(reply.source)
        if dialect and dialect.completed is not None:
            completed, headers = dialect.completed, reply.headers
            reading.completed = lambda reported: completed(reported, headers)
        step.reading = reading
        reply.put(reading)
        step.defer(self._settle)
        return reply

    def _settle(self, step: Step) -> None:
        """The call ends."""
        reading = step.reading
        assert reading is not None
        step.answer_size = reading.size
        try:
            if (reported := reading.reported()) is not None:
                if reading.completed is not None:
                    reading.completed(reported)
                self.price(step, reported)
            if reading.kept is not None:
                step.answer = bytes(reading.kept)
            if reading.fault:
                step.warnings.append(reading.fault)
                self._unread.add((step.request.gateway,))
        finally:
            reading.close()

    def price(self, step: Step, reported: Reported) -> None:
        """Notes what an answer said, and what that costs."""
        self._charge.note(step, reported)


def _coding_and_cutter(reply: Reply) -> tuple[bytes, type[Cutter] | None]:
    """The content codings (empty: none), and what cuts the answer into events; None: it is no stream of any."""
    codings: list[bytes] = []
    cutter = None
    for lower, _, value in reply.headers:
        if lower == b"content-encoding":
            codings.append(value)
        elif lower == b"content-type":
            cutter = cutter_of(value)
    return b",".join(codings), cutter
