"""Errors of Bedrock: an object with a message; the kind stands in a header.

https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

from typing import Any

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
    return failure_of(told, str(told.get("__type") or "").rpartition("#")[2])


def failure_of(told: dict[str, Any], kind: str) -> Failure:
    """Of an exception."""
    message = told.get("message") or told.get("Message") or told.get("originalMessage")
    return Failure(message if isinstance(message, str) else encode(told).decode() if told else kind, kind)
