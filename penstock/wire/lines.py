"""JSON lines: cuts a stream of bytes into lines, whatever the frames it comes in. Each is given as an SSE event."""

from penstock.wire.sse import CAP, Events

_NEXT = b"\n\ndata: "


class Lines(Events):
    """Cuts a stream into blocks of events, as ``Events`` does."""

    __slots__ = ("_begun",)

    whole: bytes | tuple[()] = ()

    def __init__(self, cap: int = CAP) -> None:
        super().__init__(cap + len(_NEXT))
        self._begun = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, each as an event, joined."""
        lines = data.replace(b"\n", _NEXT)
        if not self._begun:
            self._begun = True
            lines = _NEXT.lstrip() + lines
        return super().feed(lines)
