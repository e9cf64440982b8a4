"""Server-sent events: cuts a stream of bytes into events, whatever the frames it comes in, and changes no byte."""

import re

CAP = 1 << 20
LINES = 10_000  # line ends of one event that is read: each line becomes an object

# A line end and a blank line. A CR that is the last byte so far may yet become CRLF, so it does not end an event.
_BLANK = rb"(?:\n|\r\n|\r(?!\n))(?:\n|\r\n|\r(?=[^\n]))"
_END = re.compile(_BLANK)
_LAST_END = re.compile(b".*" + _BLANK, re.DOTALL)
_OVERLAP = 3  # bytes at the end of what is held that may be the beginning of an event's end


class Piece(bytes):
    """A part of an event that is too large, or has too many lines: nothing to be read, but to be handed on."""

    __slots__ = ()


class Events:
    """Cuts a stream into blocks of whole events. All blocks, and ``rest``, joined: what was fed.

    An event is held until it is complete. One that outgrows ``cap`` bytes or ``LINES`` is handed on as it comes, in
    ``Piece``s up to and including its end, so that memory and work stay bounded; the events after it are whole again.
    """

    __slots__ = ("_cap", "_held", "_lines", "_oversized")

    whole: bytes | tuple[()] = b"\n\n"  # a frame that begins an event and ends so is whole events

    def __init__(self, cap: int = CAP) -> None:
        self._cap = cap
        self._held = bytearray()
        self._lines = 0  # line ends in it
        self._oversized = False

    def feed(self, data: bytes) -> list[bytes]:
        """The events that are complete now, joined: one block, but for Pieces before and after it."""
        held = self._held
        if not held and data.endswith(b"\n\n"):  # the common frame
            return [data]
        start = max(0, len(held) - _OVERLAP)
        held += data
        blocks: list[bytes] = []
        if self._oversized and (first := _END.search(held, start)) is not None:
            self._oversized = False
            blocks.append(Piece(held[: first.end()]))
            del held[: first.end()]
            start = 0
        if end := _last_end(held, start):
            blocks.append(bytes(held[:end]))
            del held[:end]
        self._lines = _line_ends(held) if blocks else self._lines + _line_ends(data)
        if len(held) > self._cap or self._lines > LINES:
            self._oversized = True
        if self._oversized and len(held) > _OVERLAP:
            blocks.append(Piece(held[:-_OVERLAP]))
            del held[:-_OVERLAP]
        return blocks

    @property
    def holding(self) -> bool:
        """Whether an event has begun that is not complete."""
        return bool(self._held) or self._oversized

    @property
    def held(self) -> int:
        """Bytes of an event that is not complete."""
        return len(self._held)

    def rest(self) -> bytes:
        """What is left at the end of the stream: an event without its blank line, or nothing."""
        data = Piece(self._held) if self._oversized else bytes(self._held)
        self._held.clear()
        self._lines = 0
        self._oversized = False
        return data


def split(block: bytes) -> list[bytes]:
    """The events of a block, each with its blank line."""
    if b"\r" not in block:
        if block.find(b"\n\n") == len(block) - 2:
            return [block]
        parts = block.split(b"\n\n")
        rest = parts.pop()
        events = [part + b"\n\n" for part in parts]
    else:
        events = list[bytes]()
        begin = 0
        near = 0
        if len(block) > LINES:  # the pattern is slow; before this no line end follows another
            near = _adjacent(block, b"\r", b"\r", _adjacent(block, b"\n", b"\n\r", len(block)))
        for match in _END.finditer(block, max(0, near - 1)):
            events.append(block[begin : match.end()])
            begin = match.end()
        rest = block[begin:]
    return [*events, rest] if rest else events


def _adjacent(block: bytes, end: bytes, more: bytes, stop: int) -> int:
    """Where the first ``end`` stands that one of ``more`` follows; ``stop``: none does before."""
    at = block.find(end, 0, stop)
    while at >= 0 and block[at + 1 : at + 2] not in more:
        at = block.find(end, at + 1, stop)
    return at if at >= 0 else stop


def _last_end(held: bytearray, start: int) -> int:
    """Where the last event ends that is complete; 0: none is. ``start``: no event ends before."""
    if held.find(b"\r", start) < 0:
        end = held.rfind(b"\n\n", start)
        return end + 2 if end >= 0 else 0
    found = _LAST_END.match(held, start)
    return found.end() if found else 0


class Refrain:
    """Recognises frames that differ from one that was read in a single JSON text, as most of a stream does.

    ``marker`` is what stands before that text, its opening quote included. What is recognised has the same members,
    and the same values but for the text: where nothing was found in the one, nothing is to be found in the other.
    Searching each frame for several names costs four times as much (measured).
    """

    __slots__ = ("_begin", "_end", "_marker")

    def __init__(self, marker: bytes) -> None:
        self._marker = marker
        self._begin: bytes | None = None  # of the frame that was read, up to its text
        self._end = b""  # what follows the text

    def learn(self, frame: bytes) -> None:
        """Takes a frame that was read; one without such a text leaves nothing to recognise."""
        begin = frame.find(self._marker) + len(self._marker)
        end = frame.find(b'"', begin)
        if begin < len(self._marker) or end < 0 or not _plain(frame[begin:end]):
            self._begin = None
        else:
            self._begin, self._end = frame[:begin], frame[end:]

    def recognises(self, frame: bytes) -> bool:
        """Whether nothing but the text is new."""
        begin, end = self._begin, self._end
        if begin is None or not frame.startswith(begin) or not frame.endswith(end):
            return False
        at, to = len(begin), len(frame) - len(end)
        return at <= to and _plain(frame[at:to])


def _plain(text: bytes) -> bool:
    """Whether a JSON text has no escapes, and does not end amid these bytes, nor its line: numbers are quicker here."""
    return 34 not in text and 92 not in text and 10 not in text and 13 not in text  # noqa: PLR2004


def _line_ends(data: bytes | bytearray) -> int:
    """CRLF counts as two."""
    return data.count(b"\n") + data.count(b"\r")


def many_lines(event: bytes) -> bool:
    """Whether an event has more lines than are read."""
    return len(event) > LINES and _line_ends(event) > LINES


def one_line(event: bytes) -> bool:
    """Whether an event has one line, with or without its blank line."""
    end = event.find(b"\n")
    return (end < 0 or end >= len(event) - 2) and b"\r" not in event


def data_of(event: bytes) -> bytes:
    """An event's data lines, joined by line feeds; empty where it has none, or many lines."""
    if event.startswith(b"data: ") and event.endswith(b"\n\n"):
        data = event[6:-2]
        if b"\n" not in data and b"\r" not in data:
            return data
    return b"" if many_lines(event) else data_in(event.splitlines())


def data_in(lines: list[bytes]) -> bytes:
    """The same of an event's lines."""
    return b"\n".join([line[6:] if line.startswith(b"data: ") else line[5:] for line in lines if line[:5] == b"data:"])
