"""Errors of Cohere: an object with a message.

https://docs.cohere.com/reference/errors
"""

from penstock.core.codec import DecodeError, decode, encode
from penstock.model.chat import Failure
from penstock.providers.dialects._shapes.members import object_or_none

_MOST = 2048  # bytes of a body that is no JSON


def read_failure(body: bytes) -> Failure:
    """Of an error's body, however it is told."""
    try:
        told = object_or_none(decode(body))
    except DecodeError:
        told = None
    if told is None:
        return Failure(body[:_MOST].decode("utf-8", "replace") or "The provider gave no reason.")
    message = told.get("message") or told.get("error")
    return Failure(message if isinstance(message, str) else encode(told).decode())
