"""OpenAI responses."""

import re

from penstock.core.codec import DecodeError, Raw, Struct, decode, decoder, encode
from penstock.core.errors import PenstockError
from penstock.model.usage import Asked, Reported, Used
from penstock.providers.accounting import Said, members_of
from penstock.providers.dialects import _shapes
from penstock.providers.dialects._shapes import NOTHING, OPENAI_FIGURES, name, present, short, usage_of
from penstock.providers.kinds import FILE_SEARCH, IMAGE, INPUT, OUTPUT, TOOL, UNREAD_FEES, WEB_SEARCH


class _Answer(Struct):
    id: Raw = NOTHING
    status: Raw = NOTHING
    model: Raw = NOTHING
    usage: Raw = NOTHING
    error: Raw = NOTHING
    service_tier: Raw = NOTHING
    tool_usage: Raw = NOTHING
    output: Raw = NOTHING
    tools: Raw = NOTHING
    message: Raw = NOTHING  # of an error
    detail: Raw = NOTHING  # of an error


class _Event(Struct):
    type: Raw = NOTHING
    object: Raw = NOTHING
    response: Raw = NOTHING
    error: Raw = NOTHING


class _Action(Struct):
    type: Raw = NOTHING


class _Item(_Action):
    """An item of the output, and a tool that was offered."""

    model: Raw = NOTHING
    action: Raw = NOTHING


_ENDS = ("response.completed", "response.incomplete", "response.failed")
_UNFINISHED = ("queued", "in_progress")
_FAILED = ("failed", "cancelled")
_PAGES = ("open_page", "find_in_page", "find")  # actions of a search that are free
_PAID = (b'"web_search_call"', b'"image_generation_call"', b'"file_search_call"', b'"code_interpreter_call"')
_REASONS = re.compile(r"^(?:o\d|gpt-5(?!.*chat))")  # models whose searches have one price, whatever the tool
_FIXED_TOKENS = re.compile(r"^gpt-4(?:o|\.1)-mini")  # models that pay a fixed number of tokens for a search
_COUNTED = 2  # of these are told by ``tool_usage`` too

_decode_answer = decoder(_Answer).decode
_decode_event = decoder(_Event).decode
_decode_items = decoder(list[_Item]).decode
_decode_action = decoder(_Action).decode
_UNSEEN = ("output", "tools", "message", "detail")
_MEMBERS = tuple(member.encode() for member in _Answer.__struct_fields__ if member not in _UNSEEN)


_TYPE = re.compile(rb'"type"\s{0,9}:\s{0,9}"(response\.[a-z]+)"')


def _end_of_event(data: bytes) -> _Answer:
    """The answer of which ``data`` is the last part, made an object of its own, with what ends the event behind it."""
    return _decode_answer(_decode_event(b'{"response":' + data).response)


class OpenAIResponses:
    """The dialect. Its streams always report usage, in the event that ends them."""

    name = "openai_responses"
    asks = False
    figures = OPENAI_FIGURES

    def asked(self, body: bytes) -> Asked:
        """What a request body asks for."""
        return _shapes.asked(body, always=True)

    def reported(self, body: bytes) -> Reported:
        """What a complete, decoded answer says of itself."""
        return _told(_shapes.read(body, _decode_answer, _MEMBERS), body if len(body) > _shapes.WHOLE else b"")

    def reported_edges(self, head: bytes, tail: bytes) -> Reported:
        """The same of an answer of which only the beginning and the end are here."""
        return _told(_shapes.read_edges(head, tail, _decode_answer, _MEMBERS), _PAID[0])

    def reader(self) -> "OpenAIResponsesReader":
        """A reader for one streamed answer."""
        return OpenAIResponsesReader()

    def ask_usage(self, body: bytes) -> bytes | None:
        """Nothing to ask."""
        return None

    def error_frame(self, error: PenstockError) -> bytes:
        """The frame that tells the client of a stream that it broke; complete with its blank line.

        Its sequence number is 0, as that of the last event sent is not known here.
        """
        told = {"type": "error", "code": str(error.code), "message": error.message, "param": None, "sequence_number": 0}
        return b"event: error\ndata: " + encode(told) + b"\n\n"


class OpenAIResponsesReader:
    """The first event names the model, the last (completed, incomplete, failed) carries the usage."""

    __slots__ = ("_error", "_told")

    def __init__(self) -> None:
        self._told = Reported(complete=False)
        self._error = False

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'"response"' not in data and b'"error"' not in data

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        for piece in _shapes.pieces(data):
            if len(piece) > _shapes.WHOLE:
                self._take_large(piece)
            elif (event := _shapes.read(piece, _decode_event, ())) is not None:
                kind = name(event.type)
                self._error = self._error or "error" in (kind, name(event.object)) or present(event.error)
                if bytes(memoryview(event.response)[:1]) == b"{":
                    self._take(kind, _decode_answer(event.response))

    def _take(self, kind: str, answer: _Answer | None, unseen: bytes = b"") -> None:
        before, self._told = self._told, _told(answer, unseen)
        self._told.complete = before.complete or kind in _ENDS
        self._told.model = self._told.model or before.model
        self._error = self._error or kind == "response.failed"

    def _take_large(self, piece: bytes) -> None:
        """An event with the whole answer, images included: what stands behind them is read."""
        if (match := _TYPE.search(piece, 0, 256)) is not None:
            answer = _shapes.read_edges(b"", piece[-_shapes.EDGE :], _end_of_event, _MEMBERS)
            self._take(match[1].decode(), answer, piece)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        self._told.error = self._told.error or self._error
        return self._told


def _told(answer: _Answer | None, unseen: bytes = b"") -> Reported:
    """``unseen``: the answer's bytes, where its output is too large to be read."""
    if answer is None:
        return Reported(unread="the answer is no JSON object, or its beginning and end do not show it")
    raw, unread = usage_of(answer.usage)
    status = name(answer.status)
    return Reported(
        name(answer.model),
        raw,
        present(answer.error) or status in _FAILED or _is_flat_error(answer),
        tier=name(answer.service_tier),
        fees=_fees(answer, unseen),
        unread=unread,
        id=name(answer.id),
        unfinished=status in _UNFINISHED,
    )


def _is_flat_error(answer: _Answer) -> bool:
    return not (len(answer.output) or len(answer.usage)) and (present(answer.message) or present(answer.detail))


def _fees(answer: _Answer, unseen: bytes) -> list[Used]:
    """What the provider's own tools used: told by ``tool_usage``, else by the calls in the output."""
    tools = _tool_usage(answer.tool_usage)
    calls = _items(answer.output, b'_call"')
    if unseen or calls is None:
        paid = _PAID[_COUNTED:] if tools else _PAID
        text = unseen or bytes(answer.output)
        unread = [Used(UNREAD_FEES, 1)] if any(word in text for word in paid) else []
        calls = []
    else:
        unread = []
    if not tools and not calls:
        return unread
    counts = {FILE_SEARCH: 0, "code_execution": 0}
    searches = images = 0
    for item in calls:
        match name(item.type):
            case "web_search_call":
                searches += _action(item.action) not in _PAGES
            case "image_generation_call":
                images += 1
            case "file_search_call":
                counts[FILE_SEARCH] += 1
            case "code_interpreter_call":
                counts["code_execution"] += 1
            case _:
                pass
    told = _at(tools, "web_search", "num_requests")
    counts[WEB_SEARCH] = searches if told is None else told
    drawn = _drawn(answer, tools)
    counts[IMAGE] = 0 if drawn else images
    fees = [
        Used(kind, count, _tool(answer) if kind == WEB_SEARCH else ()) for kind, count in counts.items() if count > 0
    ]
    return [*fees, *drawn, *unread]


def _tool(answer: _Answer) -> tuple[tuple[str, str], ...]:
    """The tool that searched, where a search has another price than the list's, or costs tokens beside it."""
    model = name(answer.model)
    for tool in _items(answer.tools, b'"web_search') or []:
        kind = name(tool.type)
        preview = kind.startswith("web_search_preview")
        if (_FIXED_TOKENS.search(model) if not preview else not _REASONS.search(model)) and kind.startswith(
            "web_search"
        ):
            return ((TOOL, kind),)
    return ()


def _action(raw: Raw) -> str:
    try:
        return name(_decode_action(raw).type)
    except DecodeError:
        return ""


def _drawn(answer: _Answer, tools: Said) -> list[Used]:
    """The tokens of the images in an answer, which another model made."""
    into, out = _at(tools, "image_gen", "input_tokens"), _at(tools, "image_gen", "output_tokens")
    if not into and not out:
        return []
    tools_offered = _items(answer.tools, b'"image_generation"') or []
    offered = [tool for tool in tools_offered if name(tool.type) == "image_generation"]
    by = (("model", name(offered[0].model) if offered else ""),)
    seen = min(into or 0, _at(tools, "image_gen", "input_tokens_details", "image_tokens") or 0)
    written = min(out or 0, _at(tools, "image_gen", "output_tokens_details", "text_tokens") or 0)
    counts = {INPUT: (into or 0) - seen, "input_image": seen, OUTPUT: written, "output_image": (out or 0) - written}
    return [Used(kind, count, by) for kind, count in counts.items() if count]


def _items(raw: Raw, wanted: bytes) -> list[_Item] | None:
    """The items of a list that has such a word in it; None: they cannot be read."""
    return _shapes.items_of(raw, _decode_items) if len(raw) and wanted in bytes(raw) else []


def _tool_usage(raw: Raw) -> Said:
    try:
        return members_of(decode(short(raw)))
    except DecodeError:
        return {}


def _at(told: object, *path: str) -> int | None:
    for part in path:
        told = members_of(told).get(part)
    return told if type(told) is int and told >= 0 else None
