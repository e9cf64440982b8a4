"""Whether an answer may be given again: only what is successful, whole and without an error in it.

HTTP tells where a body ends, not whether it is all of the answer. Where a dialect reads the answer, its verdict counts
(``Reported``). Where none does, JSON must have its end, no error and nothing to wait for, and streams are not kept:
nothing says whether their end was the answer's.
"""

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.model.reply import UNREAD, Reply
from penstock.model.step import Step
from penstock.providers.reading import LOST
from penstock.wire.encodings import decoder as decoder_of

_OK = 200
_STREAMS = (
    b"text/event-stream",
    b"application/x-ndjson",
    b"application/stream+json",
    b"application/vnd.amazon.eventstream",
)
_MEDIA = (b"image/", b"audio/")  # what models answer beside JSON
_LOOKED_INTO = 512 * 1024  # bytes of JSON; of a larger answer only the ends count
_LIST = 64 * 1024  # bytes of the largest list that becomes objects
_SPACE = b" \t\r\n"
_CLOSED_BY = {b"{": b"}", b"[": b"]"}
_NOTHING = frozenset({b"", b"null", b"false", b'""', b"{}", b"[]"})


# What a job says of itself that was begun where an answer was asked for.
_UNFINISHED = frozenset({b'"in_progress"', b'"pending"', b'"processing"', b'"queued"', b'"running"', b'"starting"'})


class _Answer(Struct, gc=False):
    error: Raw = Raw(b"")
    status: Raw = Raw(b"")


_decode_one = decoder(_Answer).decode
_decode_many = decoder(list[_Answer]).decode
_decode_any = decoder(Raw).decode


def is_stream(reply: Reply) -> bool:
    """Whether the answer is a stream of events or lines."""
    return _kind(reply).startswith(_STREAMS)


def begins_well(step: Step, reply: Reply, *, streams: bool) -> bool:
    """Whether an answer with this head may be kept, if it ends well; ``streams``: they may be kept."""
    if reply.status != _OK or reply.body.until_close:
        return False
    if is_stream(reply):
        return streams and reply.reading is not UNREAD
    kind = _kind(reply)
    if _has_dialect(step):
        return _is_json(kind) or kind.startswith(_MEDIA)
    return not kind.startswith(b"text/html")


def ended_well(step: Step, reply: Reply, body: bytes | None) -> bool:
    """Whether it did; ``body`` is the answer's, None that of a stream."""
    reported = step.reported  # None: no dialect reads it
    if reported is not None and (reported.error or not reported.complete or step.reading.fault in LOST):
        return False
    return body is None or not _is_json(_kind(reply)) or _is_whole(_decoded(reply, body))


def _has_dialect(step: Step) -> bool:
    return bool(step.answered and step.target and step.target.endpoint.dialect)


def _kind(reply: Reply) -> bytes:
    return (reply.header(b"content-type") or b"").lower()


def _is_json(kind: bytes) -> bool:
    kind = kind.partition(b";")[0].rstrip()
    return kind == b"application/json" or kind.endswith(b"+json")


def _is_whole(body: bytes | None) -> bool:
    """Whether JSON has its end and tells of no error. None: it could not be looked into."""
    if body is None:
        return True
    text = body.strip(_SPACE) if len(body) <= _LOOKED_INTO else body[:64].lstrip(_SPACE) + body[-64:].rstrip(_SPACE)
    if _CLOSED_BY.get(text[:1]) != text[-1:]:
        return False
    if len(body) > _LOOKED_INTO:
        return True
    try:
        answers = _answers(text)
    except DecodeError:
        return False
    return all(bytes(one.error) in _NOTHING and bytes(one.status) not in _UNFINISHED for one in answers)


def _answers(text: bytes) -> list[_Answer]:
    """The object, or the objects of a short list, which some streams are. Raises what ``DecodeError`` names."""
    if text[:1] == b"{":
        return [_decode_one(text)]
    if len(text) <= _LIST and text[1:].lstrip(_SPACE)[:1] == b"{":
        return _decode_many(text)
    _decode_any(text)
    return []


def _decoded(reply: Reply, body: bytes) -> bytes | None:
    """The body without its content codings; None where it is too large for that, or they are unknown."""
    coding = b",".join([value for lower, _, value in reply.headers if lower == b"content-encoding"])
    if not coding or not body:
        return body
    decode = decoder_of(coding)
    if decode is None:
        return None
    decode.put(body)
    parts: list[bytes] = []
    size = 0
    while (part := decode.take()) is not None:
        parts.append(part)
        size += len(part)
        if size > _LOOKED_INTO:
            return None
    return b"" if decode.failed else b"".join(parts)
