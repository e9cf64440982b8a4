"""What a request for images or a transcription asks for: JSON, or a form with files."""

import re

from penstock.model.usage import Asked
from penstock.providers.dialects._shapes.asked import asked_of_reporting
from penstock.providers.dialects._shapes.bodies import EDGE
from penstock.providers.dialects._shapes.values import NAME_LIMIT

_FIELD = rb'name="%b"\r\n(?:[^\r\n]{1,200}\r\n){0,4}\r\n([^\r\n]{1,%d})\r\n'
_MODEL = re.compile(_FIELD % (b"model", NAME_LIMIT))
_STREAM = re.compile(_FIELD % (b"stream", NAME_LIMIT))


def asked(body: bytes) -> Asked:
    """What a request body asks for. Of a large form, the fields in its edges are read."""
    if not body.startswith(b"--"):
        return asked_of_reporting(body)
    edges = body if len(body) <= 2 * EDGE else body[:EDGE] + body[-EDGE:]
    model, stream = _MODEL.search(edges), _STREAM.search(edges)
    streams = stream is not None and stream[1].lower() == b"true"
    return Asked(model[1].decode("utf-8", "replace") if model else "", streams, streams)
