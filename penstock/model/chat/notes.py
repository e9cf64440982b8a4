"""What a translation could not say in the other dialect."""

from penstock.model.chat.parts import Extra


class Notes:
    """Collects the members that were left out, each once, for the row's ``warnings``."""

    __slots__ = ("_lost",)

    def __init__(self) -> None:
        self._lost: dict[str, None] = {}

    def lost(self, member: str) -> None:
        """``member``: its path in the client's dialect, as ``logit_bias`` or ``messages[].name``."""
        if len(self._lost) < _MOST:
            self._lost[member[:_LONG]] = None

    def lost_of(self, extra: Extra, at: str) -> None:
        """``extra``: of what stands at ``at``. The id and status of an item that was answered ask for nothing."""
        for name in extra or ():
            if name not in _IDLE:
                self.lost(f"{at}.{name}")

    @property
    def members(self) -> list[str]:
        """In the order in which they were met."""
        return [*self._lost]


_IDLE = ("id", "status")
_MOST = 32
_LONG = 128
