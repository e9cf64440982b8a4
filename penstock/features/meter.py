"""What an answer used and cost, read from the side: the bytes that travel are not touched, nor held up.

Always on. Writes ``answer``, ``answer_size``, ``reported``, ``cost`` and, where something could not be learnt, a line
of ``warnings``: when the call ends, however it ends, so the client has its bytes before a body is parsed. What a
stream said before it broke off, or before its client left, counts.
"""

from penstock.core import ids
from penstock.core.budget import SMALL, Budget, Share
from penstock.model.exchange import Exchange
from penstock.model.reply import Reply
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS, Dialect
from penstock.providers.prices import PriceBook
from penstock.providers.pricing import cost, custom_cost
from penstock.wire.encodings import decoder
from penstock.wire.sse import Events, Piece

READ_LIMIT = 10 << 20  # bytes of an answer, or of one event of a stream, that are held to learn its usage

_TOO_LARGE = f"usage not read: more than {READ_LIMIT} bytes in one piece"
_NO_ROOM = "usage and answer not read: all answers together hold as many bytes as answer_memory allows"
_NOT_KEPT = "answer not kept: all answers together hold as many bytes as answer_memory allows"
_NO_RATE = "cf-aig-custom-cost: no cost: it has no rate for a kind of token that the answer used, or the sum is absurd"
_UNREADABLE = "usage and answer not read: the answer's content coding is unknown or corrupt"


class Meter:
    """``keep``: bytes of a decoded answer that the log may hold. A larger answer is not kept at all, nor any answer
    of a call that wants no bodies in the log.

    ``budget``: bytes that all answers together may hold while they run. An answer it has no room for passes unread.
    """

    def __init__(self, prices: PriceBook, keep: int, budget: Budget) -> None:
        self._prices = prices
        self._keep = keep
        self.budget = budget

    def count(self, ex: Exchange, reply: Reply) -> Reply:
        """Puts a counting stage on the answer's way."""
        options, dialect = ex.options, None
        if ex.target and 200 <= reply.status < 300:  # noqa: PLR2004
            dialect = DIALECTS.get(ex.target.endpoint.dialect)
            if options.cost is not None and options.cost.total is not None:
                ex.cost = custom_cost(None, options.cost)
        coding, events = _coding_and_kind(reply)
        keep = self._keep if options.payloads else 0
        room = self.budget.share(ex.request.account, ex.gateway.number if ex.gateway else 0)
        if dialect and events:
            stage = reply.reading = _Stream(self, room, dialect, coding, keep)
        else:
            stage = _Whole(self, room, dialect, coding, keep)
        reply.stages.append(stage)
        ex.defer(stage.settle)
        return reply

    def price(self, ex: Exchange, reported: Reported) -> None:
        """Notes what an answer said, and what that costs."""
        ex.reported = reported
        if reported.usage is None or ex.target is None:
            return
        if (custom := ex.options.cost) is not None:
            ex.cost = custom_cost(reported.usage, custom)
            if ex.cost is None:
                ex.warnings.append(_NO_RATE)
        else:
            model = reported.model or ex.target.model or ex.request.asked.model
            price = self._prices.price(ex.target.provider, model, ids.millis(ex.id), reported.tier)
            ex.cost = cost(reported.usage, price)


class _Whole:
    """An answer that is read when it is complete, if it is read at all."""

    __slots__ = ("_coding", "_dialect", "_frames", "_keep", "_limit", "_meter", "_refused", "_room", "size")

    def __init__(self, meter: Meter, room: Share, dialect: Dialect | None, coding: bytes, keep: int) -> None:
        self._meter = meter
        self._room = room
        self._dialect = dialect
        self._coding = coding
        self._keep = keep
        self._limit = max(READ_LIMIT, keep) if dialect else keep
        self._frames: list[bytes] | None = [] if self._limit else None  # all of ``size`` bytes, taken of the budget
        self._refused = False
        self.size = 0

    def feed(self, data: bytes) -> bytes:
        self.size += len(data)
        if self._frames is not None:
            if self.size <= self._limit and self._room.try_take(len(data), small=self.size <= SMALL):
                self._frames.append(data)
            else:
                self._frames = None
                self._room.give(self.size - len(data))
                self._refused = self.size <= self._limit
        return data

    def end(self) -> bytes:
        return b""

    def settle(self, ex: Exchange) -> None:
        """The call ends."""
        ex.answer_size = self.size
        if self._frames is None:
            if self._refused:
                ex.warnings.append(_NO_ROOM if self._dialect else _NOT_KEPT)
            elif self._dialect is not None:
                ex.warnings.append(_TOO_LARGE)
            return
        self._room.give(self.size)
        body = b"".join(self._frames)
        self._frames = None
        if self._coding and body:
            decode = decoder(self._coding, self._limit)
            body = b"" if decode is None else decode.feed(body) + decode.end()
            if decode is None or decode.failed:
                ex.warnings.append(_UNREADABLE)
                return
        if self._keep and len(body) <= self._keep:
            ex.answer = body
        if self._dialect is not None:
            self._meter.price(ex, self._dialect.reported(body))


class _Stream:
    """A stream of events, read as they come."""

    __slots__ = (
        "_cut",
        "_decoder",
        "_events",
        "_held",
        "_keep",
        "_kept",
        "_meter",
        "_reader",
        "_refused",
        "_room",
        "_unread",
        "dull",
        "size",
    )

    def __init__(self, meter: Meter, room: Share, dialect: Dialect, coding: bytes, keep: int) -> None:
        self.dull = False
        self._meter = meter
        self._room = room
        self._decoder = decoder(coding) if coding else None
        self._unread = bool(coding) and self._decoder is None
        self._events = Events(READ_LIMIT)
        self._reader = dialect.reader()
        self._keep = keep
        self._kept: list[bytes] | None = [] if keep else None
        self._held = 0  # bytes in ``_kept``, taken of the budget
        self._refused = False
        self._cut = False
        self.size = 0

    def feed(self, data: bytes) -> bytes:
        self.size += len(data)
        plain = data if self._decoder is None else self._decoder.feed(data)
        if self._unread or not plain:
            return data
        if self._kept is not None:
            held = self._held + len(plain)
            if held <= self._keep and self._room.try_take(len(plain), small=held <= SMALL):
                self._held = held
                self._kept.append(plain)
            else:
                self._refused = held <= self._keep
                self._let_go()
        events = self._events
        self.dull = dull = plain.endswith(b"\n\n") and not events.holding and self._reader.dull(plain)
        if not dull:
            for event in events.feed(plain):
                self._take(event)
        return data

    def end(self) -> bytes:
        return b""

    def settle(self, ex: Exchange) -> None:
        """The call ends."""
        ex.answer_size = self.size
        kept = self._kept
        self._let_go()
        if self._unread or (self._decoder is not None and self._decoder.failed):
            ex.warnings.append(_UNREADABLE)
        elif kept is not None:
            ex.answer = b"".join(kept)
        elif self._refused:
            ex.warnings.append(_NOT_KEPT)
        self._take(self._events.rest())  # many a stream ends without its last blank line
        if self._cut:
            ex.warnings.append(_TOO_LARGE)
        self._meter.price(ex, self._reader.reported())

    def _let_go(self) -> None:
        self._room.give(self._held)
        self._held = 0
        self._kept = None

    def _take(self, event: bytes) -> None:
        if type(event) is Piece:
            self._cut = True
        elif event:
            self._reader.event(event)


def _coding_and_kind(reply: Reply) -> tuple[bytes, bool]:
    """The content codings (empty: none) and whether the answer is a stream of events."""
    codings: list[bytes] = []
    events = False
    for lower, _, value in reply.headers:
        if lower == b"content-encoding":
            codings.append(value)
        elif lower == b"content-type":
            events = value[:17].lower() == b"text/event-stream"
    return b",".join(codings), events
