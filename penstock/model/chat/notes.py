"""What a translation could not say in the other dialect."""


class Notes:
    """Collects the members that were left out, each once, for the row's ``warnings``."""

    __slots__ = ("_lost",)

    def __init__(self) -> None:
        self._lost: dict[str, None] = {}

    def lost(self, member: str) -> None:
        """``member``: its path in the client's dialect, as ``logit_bias`` or ``messages[].name``."""
        if len(self._lost) < _MOST:
            self._lost[member[:_LONG]] = None

    @property
    def members(self) -> list[str]:
        """In the order in which they were met."""
        return [*self._lost]


_MOST = 32
_LONG = 128
