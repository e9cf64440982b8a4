"""What the resources of the control plane share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from penstock.core.addresses import PUBLIC, Rules
from penstock.core.sealing import Vault
from penstock.features.auth import Keyring
from penstock.ports.cache_store import NOTHING_CACHED, CacheStore
from penstock.ports.logsink import LogSink
from penstock.storage.engine import Database
from penstock.storage.log_store import LogStore


@dataclass(frozen=True, slots=True)
class Control:
    """``refresh`` publishes what was written: call it after the commit and before the answer."""

    database: Database
    keyring: Keyring
    vault: Vault
    refresh: Callable[[], Awaitable[None]]
    sink: LogSink
    logs: LogStore
    rules: Rules = PUBLIC  # of what addresses that are set here may be
    shared: bool = False  # other processes write to the same log, and answer calls
    cache: CacheStore = NOTHING_CACHED
    public_url: str = ""  # where clients reach the gateway; empty: where the request says it came to
