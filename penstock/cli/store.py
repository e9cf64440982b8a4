"""What the commands share that work on a server's database, beside the server or without one."""

import asyncio
import os
import pwd
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from penstock.core.errors import ControlError, Invalid
from penstock.core.settings import Settings, SettingsError, load
from penstock.storage import accounts, health, opening, schema
from penstock.storage.errors import StoreUnavailable

if TYPE_CHECKING:
    from penstock.control.context import Context, Control
    from penstock.control.envelope import Paging
    from penstock.core.sealing import Vault

_T = TypeVar("_T")
_PAGE = 500

DataDir = Annotated[str | None, typer.Option(help="Where the server keeps its data.", metavar="PATH")]
DatabaseUrl = Annotated[str | None, typer.Option(help="Where the database is, if not there.", metavar="URL")]
Config = Annotated[str | None, typer.Option(help="The server's configuration file.", metavar="FILE")]
Gateway = Annotated[str, typer.Option(help="Id of the gateway.", metavar="ID")]
Account = Annotated[str | None, typer.Option(help="Id of the account, where there are several.", metavar="ID")]


class Place(NamedTuple):
    """A database that is there, of this version. ``account``: the one that the settings name, or empty."""

    url: str
    accounts: tuple[str, ...]
    account: str

    def one(self, asked: str | None) -> str:
        """The account to work on: the one asked for, that of the settings, or the only one. Raises Invalid."""
        wanted = asked or self.account
        if not wanted and len(self.accounts) == 1:
            return self.accounts[0]
        if wanted in self.accounts:
            return wanted
        known = ", ".join(self.accounts) or "none; start the server once"
        if not wanted:
            raise Invalid(f"--account: there are several; name one of: {known}")
        raise Invalid(f"{'--account' if asked else 'account_id'}: there is no account {wanted}; there are: {known}")


def find(data_dir: str | None, database_url: str | None, config: str | None) -> Place:
    """Where `penstock serve`, started here, would put it. Raises SettingsError and StoreUnavailable."""
    settings = read(data_dir, database_url, config)
    url = settings.database_url or opening.url_in(settings.data_dir)
    with closing(opening.connect_reader(url)) as connection:
        schema.check(connection, url)
        return Place(url, accounts.list_accounts(connection), settings.account_id)


def read(data_dir: str | None, database_url: str | None, config: str | None) -> Settings:
    """As `penstock serve`, started here, would read them. Raises SettingsError."""
    flags = {"data_dir": data_dir, "database_url": database_url, "config": config}
    return load(flags, os.environ, serving=False)


def vault(data_dir: str | None, database_url: str | None, config: str | None) -> "Vault":
    """What seals secrets, with the master keys of the server. Raises SettingsError, StoreUnavailable and Invalid."""
    from penstock.core.sealing import Vault

    return Vault(*master_keys(data_dir, database_url, config))


def master_keys(data_dir: str | None, database_url: str | None, config: str | None) -> tuple[bytes, ...]:
    """Those of the server, the one that seals first. Raises SettingsError, StoreUnavailable and Invalid."""
    from penstock.control import master_key
    from penstock.core.sealing import NotOpened, Vault

    settings = read(data_dir, database_url, config)
    try:
        key = master_key.read(settings.data_dir, settings.master_key)
        previous = master_key.read_previous(settings.data_dir, settings.master_key_previous)
        keys = master_key.together(key, previous)
        with closing(opening.connect_reader(settings.database_url or opening.url_in(settings.data_dir))) as connection:
            if sealed := health.key_check(connection):
                Vault(*keys).open(sealed, *health.KEY_CHECK)
    except FileNotFoundError as error:
        raise Invalid(f"master_key: there is no {error.filename}, and no other is set") from None
    except master_key.Unusable as error:
        raise Invalid(f"master_key: {error}") from None
    except NotOpened:
        raise Invalid("master_key: is not the one that sealed what this database holds") from None
    return keys


@contextmanager
def failing(command: str) -> Generator[None]:
    """Turns what goes wrong into words on standard error and an exit status: 2 for what was asked, else 1."""
    try:
        yield
        sys.stdout.flush()
    except SettingsError as error:
        typer.echo("\n  ".join([f"penstock {command}: these settings are wrong:", *error.problems]), err=True)
        raise typer.Exit(2) from None
    except (ControlError, StoreUnavailable) as error:
        typer.echo(f"penstock {command}: {error.message}", err=True)
        raise typer.Exit(2 if isinstance(error, Invalid) else 1) from None
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would fail again at the exit
        if not isinstance(error, BrokenPipeError):  # … | head
            typer.echo(f"penstock {command}: cannot write: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def run(place: Place, act: "Callable[[Control], Awaitable[_T]]", vault: "Vault | None" = None) -> _T:
    """Acts with what the rules of the API need. ``vault``: needed where secrets are sealed."""
    from penstock.control.context import Control
    from penstock.core.sealing import Vault
    from penstock.core.telemetry import Telemetry
    from penstock.features.auth import Keyring
    from penstock.ports.logsink import NullSink
    from penstock.storage.engine import Database
    from penstock.storage.log.store import LogStore

    async def nobody() -> None:
        """Whoever serves finds out by the version of the configuration."""

    async def within() -> _T:
        database, unused = Database(place.url), Vault(bytes(32))
        logs = LogStore(place.url)
        try:
            return await act(Control(database, Keyring(Telemetry()), vault or unused, nobody, NullSink(), logs))
        finally:
            await logs.close()
            await database.close()

    return asyncio.run(within())


def act(
    data_dir: str | None,
    database_url: str | None,
    config: str | None,
    account: str | None,
    deed: "Callable[[Context], Awaitable[_T]]",
) -> _T:
    """Does something within an account. Raises what ``failing`` tells."""
    from penstock.control.context import Context

    place = find(data_dir, database_url, config)
    owner = place.one(account)
    return run(place, lambda control: deed(Context(control, owner, user())))


async def every(
    page: "Callable[[Paging], Awaitable[tuple[list[dict[str, Any]], int]]]",
) -> list[dict[str, Any]]:
    """All entries of a list that a service answers in pages."""
    from penstock.control.envelope import Paging

    found: list[dict[str, Any]] = []
    number, total = 1, 1
    while len(found) < total:
        rows, total = await page(Paging.model_construct(page=number, per_page=_PAGE))
        if not rows:
            break
        found, number = found + rows, number + 1
    return found


def user() -> str:
    """Who works at the command line, by what the operating system says; the environment could say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def printable(text: str) -> str:
    """Control characters, which callers may have put into names, become dots."""
    return "".join(c if c.isprintable() else "·" for c in text)


def columns(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """The rows in columns as wide as they need; the last may be of any length."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
