"""What a request for images or a transcription asks for: JSON, or a form with files."""

import re

from penstock.core.codec import Raw, decoder
from penstock.model.usage import Asked
from penstock.providers.dialects._shapes.asked import Ask
from penstock.providers.dialects._shapes.bodies import EDGE, read
from penstock.providers.dialects._shapes.values import NAME_LIMIT, NOTHING, is_true, name, whole

_FIELD = rb'name="%b"\r\n(?:[^\r\n]{1,200}\r\n){0,4}\r\n([^\r\n]{1,%d})\r\n'
_MODEL = re.compile(_FIELD % (b"model", NAME_LIMIT))
_STREAM = re.compile(_FIELD % (b"stream", NAME_LIMIT))
_TERMS = {term: re.compile(_FIELD % (term.encode(), 64)) for term in ("quality", "size")}


class _Request(Ask):
    quality: Raw = NOTHING
    size: Raw = NOTHING


_decode = decoder(_Request).decode
_MEMBERS = (b"model", b"stream", *map(str.encode, _TERMS))


def asked(body: bytes) -> Asked:
    """What a request body asks for. Of a large form, the fields in its edges are read."""
    if not body.startswith(b"--"):
        return _asked(read(body, _decode, _MEMBERS))
    edges = body if len(body) <= 2 * EDGE else body[:EDGE] + body[-EDGE:]
    model, stream = _MODEL.search(edges), _STREAM.search(edges)
    streams = stream is not None and stream[1].lower() == b"true"
    told = {
        term: match[1].decode("utf-8", "replace") for term, field in _TERMS.items() if (match := field.search(edges))
    }
    return Asked(model[1].decode("utf-8", "replace") if model else "", streams, streams, terms=_terms(told))


def _asked(ask: _Request | None) -> Asked:
    if ask is None:
        return Asked()
    stream = is_true(ask.stream)
    told = {"quality": name(ask.quality), "size": name(ask.size)}
    return Asked(name(ask.model), stream, stream, terms=_terms(told), choices=whole(ask.n) or 1)


def _terms(told: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{term}={value[:64]}" for term, value in told.items() if value)
