"""Signatures of other dialects' thinking, in the only place that a client of Gemini sends back: a thought's own."""

from base64 import b64decode, b64encode
from typing import Any

from penstock.core.codec import DecodeError, decode, encode
from penstock.model.chat import Reasoning
from penstock.providers.dialects._shapes.members import list_or_none
from penstock.providers.dialects.gemini.chat.words import NAME

_MARK = b"penstock:"
_MARKED = b64encode(_MARK).decode()  # the mark has a multiple of three bytes
_PARTS = 3


def sealed(part: Reasoning) -> str:
    """The signature for the client; base64, as Google's SDKs want it."""
    if part.origin == NAME or not (part.signature or part.sealed):
        return part.signature
    return b64encode(_MARK + encode([part.origin, part.signature, part.sealed])).decode()


def opened(text: str, signature: str) -> Reasoning:
    """The thinking that a client sent back."""
    if signature.startswith(_MARKED):
        told = _decoded(signature)
        if len(told) == _PARTS and all(isinstance(one, str) for one in told):
            return Reasoning(text, told[1], told[2], told[0])
    return Reasoning(text, signature, origin=NAME)


def _decoded(signature: str) -> list[Any]:
    try:
        plain = b64decode(signature.replace("-", "+").replace("_", "/") + "=" * (-len(signature) % 4))
        return list_or_none(decode(plain.removeprefix(_MARK))) or []
    except (*DecodeError, ValueError):
        return []
