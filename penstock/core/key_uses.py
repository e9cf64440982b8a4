"""When stored keys were last used, and last refused by their provider: kept here until somebody writes it down."""

from collections.abc import Callable

from penstock.core import instants

REFUSED = frozenset({401, 403})


class KeyUse:
    """Times are milliseconds since the epoch; ``refused_at`` 0: it was not refused."""

    __slots__ = ("refused_at", "refused_status", "used_at")

    def __init__(self) -> None:
        self.used_at = self.refused_at = self.refused_status = 0


class KeyUses:
    """By id of the key and generation of its secret; one entry for each key that was used since the last ``take``."""

    def __init__(self, wall: Callable[[], int] = instants.now) -> None:
        self._wall = wall
        self._uses: dict[tuple[str, int], KeyUse] = {}

    def saw(self, key_id: str, generation: int, status: int) -> None:
        """The provider answered with ``status`` to a request that had this key."""
        use = self._uses.get((key_id, generation))
        if use is None:
            use = self._uses[key_id, generation] = KeyUse()
        use.used_at = self._wall()
        if status in REFUSED:
            use.refused_at, use.refused_status = use.used_at, status

    def take(self) -> dict[tuple[str, int], KeyUse]:
        """What was seen since the last time."""
        taken, self._uses = self._uses, {}
        return taken
