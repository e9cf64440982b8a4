"""The answer that a stored stream of OpenAI responses ends with."""

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING, is_object

_TEXTS = ("output[*].content[*].text", "output[*].content[*].refusal", "output[*].summary[*].text")
_INPUTS = ("output[*].arguments", "output[*].input", "output[*].code")
PIECES = (
    ("", "response"),
    ("output[*]", "item"),
    ("output[*].content[*]", "part"),
    ("output[*].summary[*]", "part"),
    ("output[*].content[*].annotations[*]", "annotation"),
    ("output[*].result", "partial_image_b64"),
    *((path, "delta") for path in (*_TEXTS, *_INPUTS)),
    *((path, path.rpartition(".")[2]) for path in (*_TEXTS, *_INPUTS)),
)


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
