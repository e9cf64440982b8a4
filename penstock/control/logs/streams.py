"""A streamed answer as one JSON object: its chunks, and the message that they make together.

Chunks are passed on as they are written, and only those that may belong to the message are decoded, one at a time: a
stored stream may hold millions of values. Where a chunk is not what it should be, it is left out of the message.
"""

from contextlib import suppress
from typing import Any

from penstock.core.codec import DecodeError, Raw, Struct, decode, decoder
from penstock.wire.sse import Events, Piece, data_of, many_lines, split

EVENTS = 150_000  # of one stream; one that has more, or an event of many lines, is shown as it came
_SLICE = 64 * 1024  # bytes that are cut in one go, which keeps all other threads waiting
_LARGE = 64 * 1024  # bytes of a chunk from which on it is not decoded: no piece of a message is so long
_MANY = 1000  # lists and objects in it, likewise
_DONE = b"[DONE]"

Members = dict[str, Any]


class TooMany(Exception):
    """The stream has more events, or one of its events more lines, than can be shown as JSON."""


class _Head(Struct):
    type: Raw = Raw(b"")
    response: Raw = Raw(b"")


_decode_list = decoder(list[Raw]).decode  # within a list even what is only passed on is judged
_decode_head = decoder(_Head).decode


def as_json(body: bytes) -> dict[str, Any]:
    """``streamed_data``: what each event carried (JSON, or else its text); ``message``, where it can be told.

    Values are ready to be encoded, not to be read. Raises TooMany.
    """
    events = _events(body)
    chunks = [data for event in events if (data := data_of(event)) and data != _DONE]
    shown: dict[str, Any] = {"streamed_data": [_as_written(chunk) for chunk in chunks]}
    if (message := _response(chunks) or _message(chunks)) is not None:
        shown["message"] = message
    return shown


def _events(body: bytes) -> list[bytes]:
    cutter, events = Events(cap=max(1, len(body))), list[bytes]()
    for at in range(0, len(body), _SLICE):
        for block in cutter.feed(body[at : at + _SLICE]):
            if type(block) is Piece:
                raise TooMany
            events += split(block)
        if len(events) > EVENTS:
            raise TooMany
    events.append(cutter.rest())
    if any(map(many_lines, events)):
        raise TooMany
    return events


def _as_written(data: bytes) -> Raw | str:
    """JSON as it stands; anything else is a text."""
    try:
        data.decode()
        (value,) = _decode_list(b"[%b]" % data)
    except (*DecodeError, ValueError):
        return data.decode("utf-8", "replace")
    return value


def _response(chunks: list[bytes]) -> Raw | None:
    """The whole answer of OpenAI's responses."""
    for chunk in reversed(chunks):
        if b'"response.' in chunk:
            try:
                chunk.decode()
                head = _decode_head(chunk)
            except DecodeError:
                continue
            if bytes(head.type).startswith(b'"response.') and bytes(head.response).startswith(b"{"):
                return head.response
    return None


def _message(chunks: list[bytes]) -> Members | None:
    """The message of Anthropic's, or the first choice's of a chat."""
    anthropic, chat = _Anthropic(), _Chat()
    for data in chunks:
        if len(data) > _LARGE or data.count(b"[") + data.count(b"{") > _MANY:
            continue
        try:
            chunk = decode(data)
        except DecodeError:
            continue
        for message in (anthropic, chat):
            with suppress(AttributeError, IndexError, KeyError, TypeError, ValueError):  # not what it seemed to be
                message.take(chunk)
    return anthropic.made() or chat.made()


class _Texts(Members):
    """Members of an object, of which texts grow: their pieces are joined once."""

    def grow(self, name: str, text: str) -> None:
        said = self.get(name)
        if isinstance(said, _Pieces):
            said.append(text)
        else:
            self[name] = _Pieces([*([said] if isinstance(said, str) else []), text])

    def joined(self) -> Members:
        return {name: "".join(value) if isinstance(value, _Pieces) else value for name, value in self.items()}


class _Pieces(list[str]):
    """Of a text."""


class _Anthropic:
    def __init__(self) -> None:
        self._message: Members | None = None
        self._blocks: dict[int, _Texts] = {}

    def take(self, chunk: Any) -> None:
        match chunk.get("type"):
            case "message_start" if self._message is None:
                self._message = dict(chunk["message"])
            case "content_block_start":
                self._blocks[chunk["index"]] = _Texts(chunk["content_block"])
            case "content_block_delta":
                block, delta = self._blocks[chunk["index"]], chunk["delta"]
                for name in ("text", "thinking", "signature", "partial_json"):
                    if name in delta:
                        block.grow(name, str(delta[name]))
            case "message_delta" if self._message is not None:
                self._message |= chunk["delta"]
            case _:
                pass

    def made(self) -> Members | None:
        if self._message is None:
            return None
        blocks = [block.joined() for block in self._blocks.values()]
        for block in blocks:
            if (text := block.pop("partial_json", None)) is not None:
                block["input"] = _as_written(str(text).encode("utf-8", "replace"))
        return self._message | {"content": blocks}


class _Chat:
    def __init__(self) -> None:
        self._message = _Texts()
        self._calls: list[tuple[Members, _Texts]] = []  # each call, and its function

    def take(self, chunk: Any) -> None:
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) == 0:
                self._merge(choice.get("delta") or {})

    def made(self) -> Members | None:
        message = self._message.joined()
        if self._calls:
            message["tool_calls"] = [call | {"function": function.joined()} for call, function in self._calls]
        return message or None

    def _merge(self, delta: Members) -> None:
        """Texts are joined; tool calls are told apart by their index."""
        for name, value in delta.items():
            if name == "tool_calls" and value:
                for call in value:
                    self._call(call)
            else:
                _put(self._message, name, value)

    def _call(self, told: Members) -> None:
        while len(self._calls) <= told["index"] < 128:  # noqa: PLR2004  more calls than any answer makes
            self._calls.append((Members(), _Texts()))
        at: int = told["index"]
        call, function = self._calls[at]
        call |= {key: part for key, part in told.items() if key not in ("index", "function")}
        given: Members = told.get("function") or {}
        for name, value in given.items():
            _put(function, name, value)


def _put(into: _Texts, name: str, value: Any) -> None:
    if isinstance(value, str) and name not in ("role", "name"):
        into.grow(name, value)
    elif name not in into or value is not None:
        into[name] = value
