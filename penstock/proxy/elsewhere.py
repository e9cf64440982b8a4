"""The data plane of a process that takes no calls."""

from penstock.core.errors import UnknownPath
from penstock.core.roles import Part
from penstock.proxy.plane import Plane


class Elsewhere(Plane):
    """Every call is told where calls go."""

    __slots__ = ()

    def admit(self) -> None:
        """Raises UnknownPath."""
        raise UnknownPath(Part.CALLS.absent(self.settings.role))
