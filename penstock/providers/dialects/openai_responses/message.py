"""The answer that a stored stream of OpenAI responses ends with."""

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING, is_object


class _Head(Struct):
    type: Raw = NOTHING
    response: Raw = NOTHING


_decode = decoder(_Head).decode


def message(chunks: list[bytes]) -> Raw | None:
    """``chunks``: the data of each event. None: this is no such stream."""
    for chunk in reversed(chunks):
        if b'"response.' in chunk:
            try:
                chunk.decode()
                head = _decode(chunk)
            except DecodeError:
                continue
            if bytes(head.type).startswith(b'"response.') and is_object(head.response):
                return head.response
    return None
