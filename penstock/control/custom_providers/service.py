"""The rules of custom providers."""

import uuid
from typing import Any
from urllib.parse import urlsplit

import msgspec

from penstock.control.context import Control
from penstock.control.custom_providers import headers
from penstock.control.custom_providers.schema import CustomCreate, CustomPaging, CustomUpdate, audited, told
from penstock.control.recheck import recheck_token
from penstock.control.values import uncallable
from penstock.core import instants
from penstock.core.errors import Invalid, InvalidBaseUrl, NoCustomProvider, NotPermitted, SlugTaken
from penstock.model.token import Token
from penstock.providers.custom import PREFIX, Custom, upstream
from penstock.providers.templates import names
from penstock.storage import audit, custom_providers, gateways, provider_keys
from penstock.storage.configuration import raise_version
from penstock.storage.custom_providers import CustomRow
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken

_ACTS = ("base_url", "enable", "headers", "slug")  # with another one, what was cached is not what would be answered


async def page(control: Control, caller: Token, account: str, asked: CustomPaging) -> tuple[list[dict[str, Any]], int]:
    """Those that fit, and how many there are in all. Raises NotPermitted; so do all below."""
    _manages(caller)
    async with control.database.reading() as connection:
        rows = [row for row in await custom_providers.of(connection, account) if asked.fits(row)]
    return [told(row) for row in asked.ordered(rows)[asked.offset : asked.offset + asked.per_page]], len(rows)


async def get(control: Control, caller: Token, account: str, provider_id: str) -> dict[str, Any]:
    """Raises NoCustomProvider."""
    _manages(caller)
    async with control.database.reading() as connection:
        return told(await _found(connection, account, provider_id))


async def create(control: Control, caller: Token, account: str, body: CustomCreate) -> dict[str, Any]:
    """Raises InvalidBaseUrl, SlugTaken, Invalid."""
    _manages(caller)
    now, settings = instants.now(), body.sent
    row = CustomRow(str(uuid.uuid4()), account, settings.pop("slug"), settings, 1, now, now)
    row = _prepared(control, row, None)
    async with control.database.writing() as connection:
        await recheck_token(connection, caller)
        await _stored(connection, custom_providers.add, row)
        await gateways.touch_all(connection, account, await raise_version(connection))
        await audit.add(connection, account, caller, "custom_provider.create", row.id, None, audited(row))
    await control.refresh()
    return told(row)


async def update(control: Control, caller: Token, account: str, provider_id: str, body: CustomUpdate) -> dict[str, Any]:
    """What changes nothing leaves no trace. Raises NoCustomProvider, InvalidBaseUrl, SlugTaken, Invalid."""
    _manages(caller)
    async with control.database.writing() as connection:
        await recheck_token(connection, caller)
        before = await _found(connection, account, provider_id)
        settings, sent = dict(before.settings), body.sent
        if (kept := settings.get("headers")) is not None:
            settings["headers"] = headers.shown(kept)
        slug = sent.pop("slug", before.slug)
        row = _prepared(control, msgspec.structs.replace(before, slug=slug, settings=settings | sent), before)
        if row == before:
            return told(row)
        await _refuse_leading_keys_away(connection, before, row)
        now = max(instants.now(), before.modified_at)
        row = msgspec.structs.replace(row, generation=before.generation + 1, modified_at=now)
        await _stored(connection, custom_providers.change, row)
        await _publish(connection, before, row)
        after = audited(row, before.settings.get("headers"))
        await audit.add(connection, account, caller, "custom_provider.update", row.id, audited(before), after)
    await control.refresh()
    return told(row)


async def delete(control: Control, caller: Token, account: str, provider_id: str) -> dict[str, Any]:
    """Its stored keys go with it: they are for nobody who takes its slug later. Answers what it was.

    Raises NoCustomProvider.
    """
    _manages(caller)
    async with control.database.writing() as connection:
        await recheck_token(connection, caller)
        row = await _found(connection, account, provider_id)
        await custom_providers.delete(connection, account, row.id)
        await provider_keys.delete_of(connection, account, PREFIX + row.slug)
        await _publish(connection, row, None)
        await audit.add(connection, account, caller, "custom_provider.delete", row.id, audited(row), None)
    await control.refresh()
    return told(row)


def _prepared(control: Control, row: CustomRow, before: CustomRow | None) -> CustomRow:
    """The row as it is to be stored, headers sealed. Raises InvalidBaseUrl, Invalid."""
    settings = dict(row.settings)
    base_url: str = settings["base_url"]
    if sentence := _refused(control, row.slug, base_url):
        raise InvalidBaseUrl(f"base_url: {sentence}", path=("body", "base_url"))
    sent = headers.parsed(settings.pop("headers", None))
    if sent is not None:
        settings["headers"] = headers.sealed(control.vault, row.account, row.id, base_url, sent, before)
    return msgspec.structs.replace(row, settings=settings)


def _refused(control: Control, slug: str, base_url: str) -> str:
    """Why the address cannot be used; empty: it can."""
    if sentence := uncallable(base_url, control.rules):
        return sentence
    host = urlsplit(base_url).hostname or ""
    if urlsplit(base_url).scheme != "https" and not control.rules.plain(host):
        return "must be an https address"
    if names(base_url):
        return "must not have parts in braces"
    try:
        upstream(Custom("", 0, slug, base_url))
    except ValueError as error:
        return str(error).partition(": ")[2] or str(error)
    return ""


async def _refuse_leading_keys_away(connection: Handle, before: CustomRow, after: CustomRow) -> None:
    """Raises Invalid where stored keys would go to another place, or be left for another provider of the old slug: who
    may change a provider need not know its keys.
    """
    moved = headers.origin(before.settings["base_url"]) != headers.origin(after.settings["base_url"])
    field = "slug" if before.slug != after.slug else "base_url" if moved else ""
    if field and await provider_keys.there_are(connection, before.account, PREFIX + before.slug):
        raise Invalid(f"{field}: keys are stored for this provider; delete them first", path=("body", field))


async def _publish(connection: Handle, before: CustomRow, after: CustomRow | None) -> None:
    """Gateways are compiled anew; what they have cached is dropped where it may be of this provider as it was."""
    version = await raise_version(connection)
    if after is None or _acting(before) != _acting(after):
        await gateways.raise_generations(connection, before.account, version)
    else:
        await gateways.touch_all(connection, before.account, version)


def _acting(row: CustomRow) -> list[Any]:
    return [row.settings.get(name) if name != "slug" else row.slug for name in _ACTS]


async def _stored(connection: Handle, write: Any, row: CustomRow) -> None:
    try:
        await write(connection, row)
    except Taken:
        raise SlugTaken(f"slug: there is a provider {row.slug} already", path=("body", "slug")) from None


async def _found(connection: Handle, account: str, provider_id: str) -> CustomRow:
    row = await custom_providers.get(connection, account, provider_id)
    if row is None:
        raise NoCustomProvider
    return row


def _manages(caller: Token) -> None:
    """Raises NotPermitted for a token that is limited to gateways: these belong to the whole account."""
    if caller.gateways is not None:
        raise NotPermitted("Authentication error: a token that is limited to gateways cannot manage custom providers.")
