"""The rules of custom providers."""

import uuid
from typing import Any
from urllib.parse import urlsplit

import msgspec

from penstock.control.context import Change, Context, Control, changing, found, refuse_limited
from penstock.control.custom_providers import headers
from penstock.control.custom_providers.schema import CustomCreate, CustomPaging, CustomUpdate, audited, told
from penstock.control.values import uncallable
from penstock.core import instants
from penstock.core.errors import Invalid, InvalidBaseUrl, NoCustomProvider, SlugTaken
from penstock.providers.custom import PREFIX, Custom, upstream
from penstock.providers.templates import names
from penstock.storage import custom_providers, gateways, provider_keys
from penstock.storage.custom_providers import CustomRow
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken

_ACTS = ("base_url", "enable", "headers", "slug")  # with another one, what was cached is not what would be answered


async def page(context: Context, asked: CustomPaging) -> tuple[list[dict[str, Any]], int]:
    """Those that fit, and how many there are in all. Raises NotPermitted; so do all below."""
    _manages(context)
    async with context.control.database.reading() as connection:
        rows = [row for row in await custom_providers.of(connection, context.account) if asked.fits(row)]
    return [told(row) for row in asked.ordered(rows)[asked.offset : asked.offset + asked.per_page]], len(rows)


async def get(context: Context, provider_id: str) -> dict[str, Any]:
    """Raises NoCustomProvider."""
    _manages(context)
    async with context.control.database.reading() as connection:
        return told(await _found(connection, context.account, provider_id))


async def create(context: Context, body: CustomCreate) -> dict[str, Any]:
    """Raises InvalidBaseUrl, SlugTaken, Invalid."""
    _manages(context)
    now, settings = instants.now(), body.sent
    row = CustomRow(str(uuid.uuid4()), context.account, settings.pop("slug"), settings, 1, now, now)
    row = _prepared(context.control, row, None)
    async with changing(context) as change:
        await _stored(change.connection, custom_providers.add, row)
        version = await change.record("custom_provider.create", row.id, None, audited(row))
        await gateways.touch_all(change.connection, context.account, version)
    return told(row)


async def update(context: Context, provider_id: str, body: CustomUpdate) -> dict[str, Any]:
    """What changes nothing leaves no trace. Raises NoCustomProvider, InvalidBaseUrl, SlugTaken, Invalid."""
    _manages(context)
    async with changing(context) as change:
        before = await _found(change.connection, context.account, provider_id)
        settings, sent = dict(before.settings), body.sent
        if (kept := settings.get("headers")) is not None:
            settings["headers"] = headers.shown(kept)
        slug = sent.pop("slug", before.slug)
        row = msgspec.structs.replace(before, slug=slug, settings=settings | sent)
        row = _prepared(context.control, row, before)
        if row == before:
            return told(row)
        await _refuse_leading_keys_away(change.connection, before, row)
        now = max(instants.now(), before.modified_at)
        generation = before.generation + _acts(before, row)
        row = msgspec.structs.replace(row, generation=generation, modified_at=now)
        await _stored(change.connection, custom_providers.change, row)
        after = audited(row, before.settings.get("headers"))
        await change.record("custom_provider.update", row.id, audited(before), after)
        await _publish(change, before, row)
    return told(row)


async def delete(context: Context, provider_id: str) -> dict[str, Any]:
    """Its stored keys go with it: they are for nobody who takes its slug later. Answers what it was.

    Raises NoCustomProvider.
    """
    _manages(context)
    async with changing(context) as change:
        row = await _found(change.connection, context.account, provider_id)
        await custom_providers.delete(change.connection, context.account, row.id)
        await provider_keys.delete_of(change.connection, context.account, PREFIX + row.slug)
        await change.record("custom_provider.delete", row.id, audited(row), None)
        await _publish(change, row, None)
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


async def _publish(change: Change, before: CustomRow, after: CustomRow | None) -> None:
    """Gateways are compiled anew; what they have cached is dropped where it may be of this provider as it was."""
    write = gateways.raise_generations if after is None or _acts(before, after) else gateways.touch_all
    await write(change.connection, before.account, await change.raise_version())


def _acts(before: CustomRow, after: CustomRow) -> bool:
    return _acting(before) != _acting(after)


def _acting(row: CustomRow) -> list[Any]:
    return [row.settings.get(name) if name != "slug" else row.slug for name in _ACTS]


async def _stored(connection: Handle, write: Any, row: CustomRow) -> None:
    try:
        await write(connection, row)
    except Taken:
        raise SlugTaken(f"slug: there is a provider {row.slug} already", path=("body", "slug")) from None


async def _found(connection: Handle, account: str, provider_id: str) -> CustomRow:
    return found(await custom_providers.get(connection, account, provider_id), NoCustomProvider)


def _manages(context: Context) -> None:
    """Raises NotPermitted."""
    refuse_limited(context, "manage custom providers")
