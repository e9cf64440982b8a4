"""Events of a stream: the JSON in them, and whether one is an error by its name."""

from penstock.providers.dialects._shapes.values import BOM
from penstock.wire.sse import data_in, data_of, many_lines, one_line

_ERROR_NAMES = (b"event: error", b"event:error")
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")


def is_error_event(event: bytes) -> bool:
    """Whether an SSE event says by its name that it is an error."""
    if b"error" not in event or (event.startswith(b"data:") and one_line(event)) or many_lines(event):
        return False
    return any(line in _ERROR_NAMES for line in event.splitlines())


def pieces(event: bytes) -> list[bytes]:
    """An event's data; and JSON that stands between events as if there were none."""
    event = event.removeprefix(BOM)
    if event.startswith(b"data:") and one_line(event):
        return [data_of(event)]
    lines = [] if many_lines(event) else event.splitlines()
    data = data_in(lines)
    bare = b"\n".join([line for line in lines if not line.startswith(_FIELDS)])
    return [data, bare] if bare.lstrip().startswith(b"{") else [data]
