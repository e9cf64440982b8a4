"""Creates an account's gateway ``default`` at the first call to it (docs/gateways.md)."""

import asyncio
from typing import Protocol

from penstock.core.errors import Unauthorized, UnknownGateway
from penstock.features.auth import DEFAULT, OpenAuth
from penstock.gateway.compile import CompiledGateway
from penstock.gateway.snapshot import Snapshots
from penstock.model.exchange import Exchange
from penstock.ports.default_gateways import DefaultGateways


class Missing(Protocol):
    """Handles a call to a gateway that the snapshot does not have."""

    async def make(self, ex: Exchange) -> CompiledGateway:
        """The gateway, if the call creates it. Raises UnknownGateway or Unauthorized."""
        ...


class DefaultGateway(Missing):
    """Creates ``default`` for a caller whose token would open it. No other gateway is created by a call.

    ``auth`` is that of gateways with authentication on.
    """

    def __init__(self, snapshots: Snapshots, auth: OpenAuth, gateways: DefaultGateways) -> None:
        self._snapshots = snapshots
        self._auth = auth
        self._gateways = gateways
        self._turn = asyncio.Lock()  # concurrent calls find it created

    async def make(self, ex: Exchange) -> CompiledGateway:
        request = ex.request
        if request.gateway != DEFAULT:
            raise UnknownGateway
        token = self._auth.identify(ex).bearer  # 401/2009, for an account that does not exist as well
        if token is None:
            raise Unauthorized
        async with self._turn:
            if (gateway := self._snapshots.current.gateway(ex)) is None:
                await self._gateways.create_default(request.account, token)
                gateway = self._snapshots.current.gateway(ex)
        if gateway is None:  # deleted in the meantime
            raise UnknownGateway
        return gateway


class NullDefault(Missing):
    """Creates nothing."""

    async def make(self, ex: Exchange) -> CompiledGateway:
        raise UnknownGateway
