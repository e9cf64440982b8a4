"""Streams in a dialect, event by event."""

import json
from typing import Any

from penstock.core.codec import encode
from penstock.model.usage import Reported
from penstock.providers.dialects import Dialect


def event(kind: str, **members: object) -> bytes:
    """An event that is named by its type."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def chunk(**members: object) -> bytes:
    """A chunk of a chat."""
    told = {"id": "c", "model": "gpt-4o-2024", "choices": [{"index": 0, "delta": {"content": "x"}}], **members}
    return b"data: " + json.dumps(told, separators=(",", ":")).encode() + b"\n\n"


def read(dialect: Dialect, *events: bytes) -> Reported:
    """What a stream of these events says of itself."""
    reader = dialect.reader()
    for one in events:
        reader.event(one)
    return reader.reported()


def message(dialect: Dialect, *events: Any) -> Any:
    """What the data of these events make together, in the log; None: nothing."""
    made = dialect.message([json.dumps(event).encode() for event in events])
    return None if made is None else json.loads(encode(made))
