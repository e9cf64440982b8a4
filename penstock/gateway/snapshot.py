"""What the planes share: immutable, compiled, swapped whole. A call keeps the snapshot it started with."""

from collections.abc import Mapping

from penstock.gateway.compile import CompiledGateway
from penstock.model.exchange import Exchange

Key = tuple[str, str]  # account and id


class Snapshot:
    """All compiled gateways. ``version`` is that of the configuration they were compiled from."""

    __slots__ = ("_gateways", "version")

    def __init__(self, version: int, gateways: Mapping[Key, CompiledGateway]) -> None:
        self.version = version
        self._gateways = gateways

    def gateway(self, ex: Exchange) -> CompiledGateway | None:
        """The call's gateway, noted in the call. None for a wrong account as for a wrong gateway."""
        gateway = self._gateways.get((ex.request.account, ex.request.gateway))
        if gateway is not None:
            ex.gateway, ex.snapshot, ex.options = gateway, self.version, gateway.options.unread
        return gateway

    def with_changes(self, version: int, changed: Mapping[Key, CompiledGateway | None]) -> "Snapshot":
        """A snapshot in which these gateways are as they are here, and gone where they are None; this one stays."""
        gateways = {**self._gateways, **changed}
        return Snapshot(version, {key: gateway for key, gateway in gateways.items() if gateway is not None})


class Snapshots:
    """The place where the current snapshot is found; replaced by one assignment."""

    __slots__ = ("current",)

    def __init__(self, current: Snapshot) -> None:
        self.current = current
