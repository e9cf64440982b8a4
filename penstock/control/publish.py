"""Reads changed configuration from the store, compiles it and swaps it in (docs/architecture.md).

The process that answers a change publishes it before it answers, and announces it on the buses; every process looks for
others' changes, those of the command line included, when it hears of one, and by itself again and again. Only the rows
that changed are read and only their gateways compiled.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from penstock.control.custom_providers.compile_settings import customs
from penstock.control.gateways.compile_settings import config
from penstock.core.logs import log
from penstock.core.sealing import Vault
from penstock.features.auth import Keyring
from penstock.gateway.compile import CompiledGateway, Parts, compile_gateway
from penstock.gateway.config import GatewayConfig
from penstock.gateway.snapshot import Snapshots
from penstock.model.token import Token
from penstock.ports.bus import Bus
from penstock.providers.custom import Custom
from penstock.storage import configuration, definitions, tokens
from penstock.storage.definitions import Definition
from penstock.storage.engine import Database, Handle
from penstock.storage.errors import StoreUnavailable

LOOK = 0.5  # seconds between two looks at the version
SLOW = 1.0  # the same where a bus carries the news
Changed = dict[tuple[str, str], CompiledGateway | None]


class Publisher:
    """Keeps a process's snapshot and keyring at the newest version of the configuration."""

    def __init__(
        self,
        database: Database,
        snapshots: Snapshots,
        keyring: Keyring,
        parts: Parts,
        vault: Vault,
        compiler: Callable[[GatewayConfig, Parts], CompiledGateway] = compile_gateway,
        buses: Sequence[Bus] = (),
        *,
        prepaid: bool = False,
    ) -> None:
        self.away = False  # the store, at the last look of ``watch``
        self._database = database
        self._snapshots = snapshots
        self._keyring = keyring
        self._parts = parts
        self._vault = vault
        self._compile = compiler
        self._looked = time.monotonic()  # when what is published was last known to be the newest
        self._stopped = False
        self._buses = buses
        self._prepaid = prepaid  # gateways know what credit their accounts have
        self._pause = SLOW if buses else LOOK
        self._news = asyncio.Event()  # somebody has announced a change
        self._turn = asyncio.Lock()  # one after the other, or an older state could be swapped in last

    async def refresh(self) -> None:
        """Returns when everything committed before the call is published. Raises StoreUnavailable."""
        async with self._turn:
            if not self._stopped:
                await self._refresh()

    async def stop(self) -> None:
        """Waits for a look that is on its way; there will be no other."""
        self._stopped = True
        async with self._turn:
            pass

    async def _refresh(self) -> None:
        async with self._database.reading() as connection:
            looked, version = time.monotonic(), await configuration.version(connection)
            if version == self._snapshots.current.version:
                self._looked = looked
                return
            changed, known = await self._changes(connection, self._snapshots.current.version)
        # No await from here on: a call sees all of it or nothing.
        self._looked = looked
        self._keyring.tokens = known
        self._snapshots.current = self._snapshots.current.with_changes(version, changed)

    def age(self) -> float:
        """Seconds since what is published was last known to be the newest."""
        return time.monotonic() - self._looked

    async def published(self) -> None:
        """The same after a commit, which stands: where it cannot be read back just now, ``watch`` publishes it. The
        other processes are told.
        """
        await self.announced()
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001  whatever it is, the answer must not say that nothing was changed
            _complain("a change is stored, but not published yet", error)

    async def announced(self) -> None:
        """Tells the other processes of a commit."""
        for bus in self._buses:
            bus.announce()

    def heard(self) -> None:
        """Somebody says that something changed: ``watch`` looks at once."""
        self._news.set()

    async def watch(self) -> None:
        """Publishes what others changed, until it is cancelled. While that fails, the last state serves."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._news.wait()
            self._news.clear()
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001  whatever it is, a later look may find it mended
                if not self.away:
                    _complain("the configuration cannot be read; the last one known serves on", error)
                self.away = True
                await asyncio.sleep(self._pause)  # whatever is announced meanwhile
            else:
                if self.away:
                    log.warning("the configuration can be read again")
                self.away = False

    async def _changes(self, connection: Handle, since: int) -> tuple[Changed, dict[bytes, Token]]:
        changed: Changed = {}
        shared: dict[str, tuple[Custom, ...]] = {}
        for definition in await definitions.changed_since(connection, since):  # in order of their changes
            row = definition.gateway
            live = row.deleted_at is None
            if live or (row.account, row.id) not in changed:  # deleted and made again: the living one stands
                if live and row.account not in shared:
                    shared[row.account] = customs(definition.customs, self._vault)
                changed[row.account, row.id] = self._compiled(definition, shared[row.account]) if live else None
        live_tokens, revoked = await tokens.changed_since(connection, since)
        known = dict(self._keyring.tokens) | {token.hash: token for token in live_tokens}
        for digest in revoked:
            known.pop(digest, None)
        return changed, known

    def _compiled(self, definition: Definition, shared: tuple[Custom, ...]) -> CompiledGateway:
        made = config(definition, self._vault, shared, prepaid=self._prepaid)
        return self._compile(made, self._parts)


def _complain(what: str, error: Exception) -> None:
    known = isinstance(error, StoreUnavailable)
    log.error("%s: %s", what, error.message if known else repr(error), exc_info=None if known else error)
