"""What cuts a stream into events, by its content type."""

import pytest

from penstock.wire.event_stream import Messages
from penstock.wire.framing import cutter_of
from penstock.wire.lines import Lines
from penstock.wire.sse import Events


@pytest.mark.parametrize(
    ("kind", "cutter"),
    [
        (b"text/event-stream", Events),
        (b"Text/Event-Stream ; charset=utf-8", Events),
        (b"application/vnd.amazon.eventstream", Messages),
        (b"application/stream+json", Lines),
        (b"application/x-ndjson", Lines),
        (b"application/json", None),
        (b"text/event-streams", None),
        (b"", None),
    ],
)
def test_the_content_type_tells(kind: bytes, cutter: object) -> None:
    assert cutter_of(kind) is cutter
