"""What the services of the control plane are given, and what their writes share."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from penstock.core.addresses import PUBLIC, Rules
from penstock.core.errors import ControlError, Invalid, NotAuthenticated, NotFound, NotPermitted
from penstock.core.sealing import Vault
from penstock.features.auth import Keyring
from penstock.model.billing import UNTAXED, Terms
from penstock.model.token import Token
from penstock.ports.cache_store import NOTHING_CACHED, CacheStore
from penstock.ports.logsink import LogSink
from penstock.ports.payments import MANUAL, Payments
from penstock.ports.reservations import Reservations
from penstock.storage import audit, tokens
from penstock.storage.configuration import raise_version
from penstock.storage.engine import Database, Handle
from penstock.storage.log.store import LogStore

if TYPE_CHECKING:
    from penstock.control.alerts.deliver import Sender
    from penstock.control.oidc.party import Party
    from penstock.gateway.compile import Parts
    from penstock.gateway.simulator import Simulator

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Control:
    """``refresh`` publishes what was written: ``changing`` calls it after the commit and before the answer."""

    database: Database
    keyring: Keyring
    vault: Vault
    refresh: Callable[[], Awaitable[None]]
    sink: LogSink
    logs: LogStore
    rules: Rules = PUBLIC  # of what addresses that are set here may be
    shared: bool = False  # other processes write to the same log, and answer calls
    cache: CacheStore = NOTHING_CACHED
    parts: "Parts | None" = None  # that gateways are made of; None: a command that makes none
    simulator: "Simulator | None" = None  # of dynamic routes; None: a command that needs none
    sender: "Sender | None" = None  # of alerts' webhooks; None: a command that needs none
    reservations: Reservations | None = None  # that budgets are counted by; None: this process does not see them
    payments: Payments = MANUAL  # how credit is paid for
    terms: Terms = UNTAXED  # on which months are billed
    prepaid: bool = False  # calls on the operator's keys need credit
    oidc: "Party | None" = None  # whom people may sign in with; None: nobody
    public_url: str = ""  # where clients reach the gateway; empty: where the request says it came to


class Context(NamedTuple):
    """The first argument of every service function: with what, for which account, and for whom it works.

    ``actor``: the caller's token, or the user at the command line, who may do anything.
    """

    control: Control
    account: str
    actor: Token | str

    @property
    def limited_to(self) -> frozenset[str] | None:
        """The ids of the gateways that the actor may see; None: all."""
        return self.actor.gateways if isinstance(self.actor, Token) else None


@dataclass(slots=True)
class Change:
    """A transaction that changes the configuration."""

    context: Context
    connection: Handle
    version: int = 0  # of the configuration, once something has changed

    async def raise_version(self) -> int:
        """The version that the changed rows bear."""
        self.version = self.version or await raise_version(self.connection)
        return self.version

    async def record(
        self, action: str, subject: str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> int:
        """Adds to the audit trail; arguments as of ``audit.add``. Returns the raised version."""
        await audit.add(self.connection, self.context.account, self.context.actor, action, subject, before, after)
        return await self.raise_version()


@asynccontextmanager
async def changing(context: Context) -> AsyncGenerator[Change]:
    """A transaction. After its commit, what has raised the version is published.

    Raises NotAuthenticated for a token that was revoked since the request was let in.
    """
    actor = context.actor
    async with context.control.database.writing() as connection:
        if isinstance(actor, Token) and await tokens.get(connection, actor.account, actor.id) is None:
            raise NotAuthenticated
        change = Change(context, connection)
        yield change
    if change.version:
        await context.control.refresh()


def found(row: _T | None, error: type[ControlError] = NotFound) -> _T:
    """The row that was looked for. Raises ``error`` where there is none."""
    if row is None:
        raise error
    return row


def refuse_limited(context: Context, deed: str) -> None:
    """Raises NotPermitted for a token that is limited to gateways. ``deed``: what concerns the whole account."""
    if context.limited_to is not None:
        raise NotPermitted(f"Authentication error: a token that is limited to gateways cannot {deed}.")


def refuse_another(sent: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raises Invalid for a field that cannot be changed, was sent, and is not as it is."""
    for name, value in sent.items():
        if value is not None and value != known[name]:
            raise Invalid(f"{name}: cannot be changed", path=("body", name))
