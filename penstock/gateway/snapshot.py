"""What the planes share: immutable, compiled, swapped whole. A call keeps the snapshot it started with."""

from collections.abc import Mapping

from penstock.core.errors import UnknownGateway
from penstock.gateway.compile import CompiledGateway
from penstock.model.exchange import Exchange


class Snapshot:
    """All compiled gateways by account and id."""

    __slots__ = ("_gateways", "version")

    def __init__(self, version: int, gateways: Mapping[tuple[str, str], CompiledGateway]) -> None:
        self.version = version
        self._gateways = gateways

    def gateway(self, ex: Exchange) -> CompiledGateway:
        """The call's gateway. Raises UnknownGateway, the same for a wrong account as for a wrong gateway."""
        gateway = self._gateways.get((ex.request.account, ex.request.gateway))
        if gateway is None:
            raise UnknownGateway
        ex.gateway, ex.snapshot = gateway, self.version
        return gateway


class Snapshots:
    """The place where the current snapshot is found; replaced by one assignment."""

    __slots__ = ("current",)

    def __init__(self, current: Snapshot) -> None:
        self.current = current
