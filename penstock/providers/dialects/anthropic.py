"""Anthropic messages."""

import re
from typing import cast

from penstock.core.codec import DecodeError, Raw, Struct, decoder, encode
from penstock.core.errors import PenstockError
from penstock.model.usage import Asked, Reported, Used
from penstock.providers.accounting import Figures, Said, members_of
from penstock.providers.dialects import _shapes
from penstock.providers.dialects._shapes import NOTHING, SHORT, name, present, short, usage_of
from penstock.providers.kinds import CACHE_READ, CACHE_WRITE, CACHE_WRITE_1H, INPUT, OUTPUT, REASONING, RUN, WEB_SEARCH


class _Message(Struct):
    type: Raw = NOTHING
    model: Raw = NOTHING
    usage: Raw = NOTHING
    error: Raw = NOTHING
    message: Raw = NOTHING  # of an event; and of an error
    detail: Raw = NOTHING  # of an error


class _Growing(Struct):
    """The members of a usage object that a later event of a stream may tell anew."""

    input_tokens: Raw = NOTHING
    output_tokens: Raw = NOTHING
    cache_creation_input_tokens: Raw = NOTHING
    cache_read_input_tokens: Raw = NOTHING
    cache_creation: Raw = NOTHING
    server_tool_use: Raw = NOTHING
    output_tokens_details: Raw = NOTHING
    iterations: Raw = NOTHING
    service_tier: Raw = NOTHING
    inference_geo: Raw = NOTHING
    speed: Raw = NOTHING
    cost: Raw = NOTHING  # this and the others are of those who speak it too
    cost_details: Raw = NOTHING
    cost_in_usd_ticks: Raw = NOTHING
    is_byok: Raw = NOTHING
    num_sources_used: Raw = NOTHING
    server_side_tool_usage_details: Raw = NOTHING


_decode_message = decoder(_Message).decode
_decode_growing = decoder(_Growing).decode
_decode_members = decoder(dict[str, Raw]).decode
_MEMBERS = (b"model", b"usage", b"error", b"type")


def _more(said: Said) -> list[Used]:
    """What the two main figures leave out: the runs of the model that made the conversation shorter, and others'.

    Fills in the sum of the cache's writes where only its parts are told.
    """
    if not said.get("cache_creation_input_tokens") and (created := members_of(said.get("cache_creation"))):
        parts = [created.get(f"ephemeral_{life}_input_tokens") for life in ("5m", "1h")]
        said["cache_creation_input_tokens"] = sum(part for part in parts if type(part) is int and part > 0)
    runs = said.get("iterations")
    return (
        [used for at, run in enumerate(cast("list[object]", runs)) for used in _run(members_of(run), at)]
        if isinstance(runs, list)
        else []
    )


def _run(run: Said, at: int) -> list[Used]:
    if run.get("type") in ("message", None):
        return []  # the main figures have it
    model = run.get("model")
    attributes = (("model", model),) if isinstance(model, str) else ((RUN, str(at)),)
    hour = members_of(run.get("cache_creation")).get("ephemeral_1h_input_tokens")
    told = {
        INPUT: run.get("input_tokens"),
        OUTPUT: run.get("output_tokens"),
        CACHE_READ: run.get("cache_read_input_tokens"),
        CACHE_WRITE: run.get("cache_creation_input_tokens"),
        CACHE_WRITE_1H: hour,
    }
    counts = {kind: count for kind, count in told.items() if type(count) is int and count > 0}
    if CACHE_WRITE_1H in counts:
        counts[CACHE_WRITE] = counts.get(CACHE_WRITE, 0) - counts[CACHE_WRITE_1H]
    return [Used(kind, count, attributes) for kind, count in counts.items() if count > 0]


class Anthropic:
    """The dialect. Its streams always report usage: the input at the start, the output at the end."""

    name = "anthropic"
    asks = False
    figures = Figures(
        ("input_tokens",),
        ("output_tokens",),
        {
            "cache_read_input_tokens": CACHE_READ,
            "cache_creation_input_tokens": CACHE_WRITE,
            "cache_creation.ephemeral_1h_input_tokens": CACHE_WRITE_1H,  # part of the writes
            "output_tokens_details.thinking_tokens": REASONING,
            "server_tool_use.web_search_requests": WEB_SEARCH,
        },
        beside=frozenset({CACHE_READ, CACHE_WRITE}),
        terms=("service_tier", "inference_geo", "speed"),
        more=_more,
    )

    def asked(self, body: bytes) -> Asked:
        """What a request body asks for."""
        return _shapes.asked(body, always=True)

    def reported(self, body: bytes) -> Reported:
        """What a complete, decoded answer says of itself."""
        return _told(_shapes.read(body, _decode_message, _MEMBERS))

    def reported_edges(self, head: bytes, tail: bytes) -> Reported:
        """The same of an answer of which only the beginning and the end are here."""
        return _told(_shapes.read_edges(head, tail, _decode_message, _MEMBERS))

    def reader(self) -> "AnthropicReader":
        """A reader for one streamed answer."""
        return AnthropicReader()

    def ask_usage(self, body: bytes) -> bytes | None:
        """Nothing to ask."""
        return None

    def error_frame(self, error: PenstockError) -> bytes:
        """The frame that tells the client of a stream that it broke; complete with its blank line."""
        told = {"type": "error", "error": {"type": "api_error", "message": error.message}}
        return b"event: error\ndata: " + encode(told) + b"\n\n"


class AnthropicReader:
    """``message_start`` has the model and the input, each ``message_delta`` the figures that have grown since.

    The figures are cumulative, so a later one replaces an earlier one: the last of each is kept, and put into the
    start's object at the end. Of a stream that ended early, what had been said until then is reported: the input in
    full, the output too low.
    """

    __slots__ = ("_ended", "_grown", "_told")

    def __init__(self) -> None:
        self._told = Reported(complete=False)  # its ``raw`` is the start's object
        self._grown: dict[str, bytes] = {}
        self._ended = False

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'"message_' not in data and b'"error"' not in data

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        told = self._told
        for piece in _shapes.pieces(data):
            if (event := _shapes.read(piece, _decode_message, ())) is None:
                continue
            kind = name(event.type)
            told.complete = told.complete or kind == "message_stop"
            told.error = told.error or kind == "error" or present(event.error)
            if bytes(memoryview(event.message)[:1]) == b"{":
                self._start(_decode_message(event.message))
            if present(event.usage):
                self._grow(event.usage)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        told = self._told
        if self._grown:
            told.raw = _merged(told.raw, self._grown)
            self._grown = {}
            if len(told.raw) > SHORT:
                told.raw, told.unread = b"", f"the usage object has more than {SHORT} bytes"
        return told

    def _start(self, message: _Message) -> None:
        self._told.model = name(message.model) or self._told.model
        if present(message.usage):
            self._told.raw, self._told.unread = usage_of(message.usage)

    def _grow(self, usage: Raw) -> None:
        if not (text := short(usage)):
            _, self._told.unread = usage_of(usage)
            return
        try:
            grown = _decode_growing(text)
        except DecodeError:
            return
        for member in _GROWING:
            if present(value := getattr(grown, member)):
                self._grown[member] = _fuller(self._grown.get(member), bytes(value))


_GROWING = _Growing.__struct_fields__


def _told(message: _Message | None) -> Reported:
    if message is None:
        return Reported(unread="the answer is no JSON object, or its beginning and end do not show it")
    raw, unread = usage_of(message.usage)
    error = name(message.type) == "error" or present(message.error)
    error = error or (not len(message.usage) and (present(message.message) or present(message.detail)))
    return Reported(name(message.model), raw, error, unread=unread)


def _merged(start: bytes, grown: dict[str, bytes]) -> bytes:
    try:
        members = _decode_members(start) if start else {}
    except DecodeError:
        members = {}
    return encode({**members, **{name: Raw(_fuller(members.get(name), value)) for name, value in grown.items()}})


_FIGURE = re.compile(rb":\s{0,9}(?!0\s{0,9}[,}]|null|\{|\[)\S")


def _fuller(old: bytes | Raw | None, new: bytes) -> bytes:
    """The newer of two values of a member, unless it is empty: figures grow."""
    empty = new == b"0" or (new.startswith((b"{", b"[")) and _FIGURE.search(new) is None)
    return bytes(old) if empty and old is not None and present(Raw(old)) else new
