"""What another dialect's provider signed or sealed, in the one member that a client brings back as it came.

``encrypted_content`` of a reasoning item is opaque to clients. For the thinking of another dialect it holds what the
dialect gave, and an item of its own, without a summary, holds the signature of a call, a text or an image.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from penstock.core.codec import DecodeError, decode, encode
from penstock.model.chat import Reasoning
from penstock.providers.dialects._shapes.members import object_or_none, written

_OURS = "penstock."
CALL, SAID = "call", "said"  # whose signature an item of its own holds: the call's of that id, the last thing said


def seal(part: Reasoning) -> str:
    """``encrypted_content`` of another dialect's thinking."""
    return _wrapped(
        {
            "origin": part.origin,
            "signature": part.signature or None,
            "sealed": part.sealed or None,
            "text": part.text or None,
        }
    )


def seal_signature(signature: str, call: str = "") -> str:
    """``encrypted_content`` of an item that holds the signature of a call, or else of what was said before it."""
    return _wrapped({"of": CALL if call else SAID, "call": call or None, "signature": signature})


def unseal(content: str) -> dict[str, Any] | None:
    """What was sealed here, all of it texts; None: it was not."""
    if not content.startswith(_OURS):
        return None
    try:
        value = object_or_none(decode(urlsafe_b64decode(content[len(_OURS) :].encode())))
    except (*DecodeError, ValueError):
        return None
    return value if value is not None and all(type(one) is str for one in value.values()) else None


def _wrapped(told: dict[str, Any]) -> str:
    return _OURS + urlsafe_b64encode(encode(written(told))).decode()
