"""Seals every stored secret anew with the master key, beside running servers (docs/keys.md).

A few rows at a time: they are read, sealed in memory, and written where they still hold what was read. Versions and
generations stay, because no secret changes. The word that a start checks its keys by comes last: once the master key
opens it, nothing is sealed with the previous one.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from penstock.control.alerts.secret import place as alert_place
from penstock.control.custom_providers.headers import place as header_place
from penstock.control.gateways.compile_settings import key_place
from penstock.control.gateways.masking import setting_place
from penstock.control.gateways.schema import secrets
from penstock.core import codec
from penstock.core.sealing import NotOpened, Vault
from penstock.storage import health, sealed
from penstock.storage.engine import Database
from penstock.storage.sealed import Column, Row

BATCH = 100  # rows that are read and written at once
PASSES = 5  # over everything, while others seal with the previous key

Texts = Iterator[
    tuple[dict[str, Any], str, tuple[str, ...]]
]  # the object that holds a sealed text, its name, its place


@dataclass(slots=True)
class Tally:
    """``renewed``: secrets that were sealed anew, in all. In this pass: ``good``, those that the master key has sealed,
    ``old``, those that the previous one has, and ``unopened``, the places of those that no key opens.
    """

    renewed: int = 0
    good: int = 0
    old: int = 0
    unopened: list[str] = field(default_factory=list[str])
    done: bool = False  # a whole pass found nothing that is sealed with the previous key


class _Kind(NamedTuple):
    """A column of sealed texts: how the column is read and written, and where the texts in it are."""

    column: Column
    decode: Callable[[str], dict[str, Any]]
    encode: Callable[[dict[str, Any]], str]
    texts: Callable[[Row, dict[str, Any]], Texts]


async def reseal(database: Database, vault: Vault, batch: int = BATCH) -> AsyncGenerator[Tally]:
    """Yields after each batch; whatever stops it, what was written stays. Raises StoreUnavailable."""
    tally = Tally()
    for _ in range(PASSES):
        tally.good, tally.old, tally.unopened = 0, 0, []
        for kind in _KINDS:
            after: Any = None
            while rows := await _page(database, kind.column, after, batch):
                await _renew(database, vault, kind, rows, tally)
                after = rows[-1].id
                yield tally
        if not tally.old:
            await _finish(database, vault)
            tally.done = True
            yield tally
            return


async def _page(database: Database, column: Column, after: Any, batch: int) -> list[Row]:
    async with database.reading() as connection:
        return await sealed.page(connection, column, after, batch)


async def _renew(database: Database, vault: Vault, kind: _Kind, rows: Sequence[Row], tally: Tally) -> None:
    changes = [(row, held, anew) for row in rows for held, anew in [_renewed(vault, kind, row, tally)] if anew]
    if changes:
        async with database.writing() as connection:
            written = [await sealed.replace(connection, kind.column, row, held) for row, held, _ in changes]
        tally.renewed += sum(anew for done, (_, _, anew) in zip(written, changes, strict=True) if done)


def _renewed(vault: Vault, kind: _Kind, row: Row, tally: Tally) -> tuple[str, int]:
    """What the column is to hold, and how many of its texts are sealed anew in it."""
    document, anew = kind.decode(row.held), 0
    for holder, name, place in kind.texts(row, document):
        try:
            text = vault.renewed(holder[name], *place)
        except NotOpened:
            tally.unopened.append("/".join(place))
            continue
        anew += text != holder[name]
        tally.good += text == holder[name]
        holder[name] = text
    tally.old += anew
    return (kind.encode(document), anew) if anew else (row.held, 0)


async def _finish(database: Database, vault: Vault) -> None:
    async with database.writing() as connection:
        if check := await sealed.key_check(connection):
            await sealed.set_key_check(connection, vault.renewed(check, *health.KEY_CHECK))


def _of_key(row: Row, document: dict[str, Any]) -> Texts:
    account, gateway, provider, alias = row.names
    yield document, "secret", key_place(account, gateway, provider, alias)


def _of_gateway(row: Row, document: dict[str, Any]) -> Texts:
    for secret in secrets(document):
        yield secret.holder, secret.name, setting_place(row.names, secret)


def _of_custom(row: Row, document: dict[str, Any]) -> Texts:
    account, provider_id = row.names
    headers: dict[str, Any] = document.get("headers") or {}
    for name in headers:
        yield headers, name, header_place(account, provider_id, name)


def _of_alert(row: Row, document: dict[str, Any]) -> Texts:
    account, alert = row.names
    yield document, "secret", alert_place(account, alert)


def _object(held: str) -> dict[str, Any]:
    return {"secret": held}


def _secret(document: dict[str, Any]) -> str:
    return document["secret"]


def _json(document: dict[str, Any]) -> str:
    return codec.encode(document).decode()


_settings = codec.decoder(dict[str, Any]).decode
_KINDS = (
    _Kind(sealed.KEYS, _object, _secret, _of_key),
    _Kind(sealed.GATEWAYS, _settings, _json, _of_gateway),
    _Kind(sealed.CUSTOM_PROVIDERS, _settings, _json, _of_custom),
    _Kind(sealed.ALERTS, _object, _secret, _of_alert),
)
