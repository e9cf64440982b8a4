"""The gateway ``default``, made by the first call to it (specification of the data plane, 1.6)."""

import asyncio
from typing import Protocol

from penstock.core.errors import Unauthorized, UnknownGateway
from penstock.features.auth import DEFAULT, OpenAuth
from penstock.gateway.compile import CompiledGateway
from penstock.gateway.snapshot import Snapshots
from penstock.model.exchange import Exchange
from penstock.ports.births import Births


class Missing(Protocol):
    """What becomes of a call to a gateway that the snapshot does not have."""

    async def make(self, ex: Exchange) -> CompiledGateway:
        """The gateway after all. Raises UnknownGateway or Unauthorized."""
        ...


class DefaultGateway(Missing):
    """Makes ``default`` for a caller whose token would open it; no other, and for nobody else.

    ``auth`` is that of gateways with authentication on.
    """

    def __init__(self, snapshots: Snapshots, auth: OpenAuth, births: Births) -> None:
        self._snapshots = snapshots
        self._auth = auth
        self._births = births
        self._turn = asyncio.Lock()  # the calls that come meanwhile find it made

    async def make(self, ex: Exchange) -> CompiledGateway:
        request = ex.request
        if request.gateway != DEFAULT:
            raise UnknownGateway
        token = self._auth.identify(ex).bearer  # 401/2009, for an account that does not exist as well
        if token is None:
            raise Unauthorized
        async with self._turn:
            if (gateway := self._snapshots.current.gateway(ex)) is None:
                await self._births.make(request.account, token)
                gateway = self._snapshots.current.gateway(ex)
        if gateway is None:  # deleted again meanwhile
            raise UnknownGateway
        return gateway


class NullDefault(Missing):
    """Nothing is made by being called."""

    async def make(self, ex: Exchange) -> CompiledGateway:
        raise UnknownGateway
