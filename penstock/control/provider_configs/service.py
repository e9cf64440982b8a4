"""The rules of stored keys, for the API and the command line."""

import secrets as randomness
from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.control.context import Change, Context, changing, found, refuse_another
from penstock.control.envelope import Paging
from penstock.control.gateways.compile_settings import STORED_ONLY, key_place
from penstock.control.gateways.masking import CHANGED
from penstock.control.gateways.schema import DEFAULT, MASK
from penstock.control.gateways.service import ensure_default
from penstock.control.provider_configs.schema import ProviderConfigCreate, ProviderConfigUpdate, told, traits
from penstock.core import instants
from penstock.core.errors import Conflict, Invalid
from penstock.core.sealing import NotOpened, Vault
from penstock.providers import catalog, credential_json
from penstock.storage import custom_providers, gateways, provider_keys
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken
from penstock.storage.gateways import GatewayRow
from penstock.storage.provider_keys import KeyRow

LONG = 16  # characters of a secret of which
TAIL = 4  # the last are shown
CUSTOM = "custom-"


async def page(context: Context, gateway_id: str, asked: Paging) -> tuple[list[dict[str, Any]], int]:
    """The gateway's keys, oldest first, and how many there are in all. Raises NotFound."""
    async with context.control.database.reading() as connection:
        row = found(await gateways.get(connection, context.account, gateway_id))
        keys, total = await provider_keys.page(connection, row.number, asked.per_page, asked.offset)
    return [told(gateway_id, key) for key in keys], total


async def get(context: Context, gateway_id: str, key_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    async with context.control.database.reading() as connection:
        _, key = await _found(connection, context.account, gateway_id, key_id)
    return told(gateway_id, key)


async def create(context: Context, gateway_id: str, body: ProviderConfigCreate) -> dict[str, Any]:
    """The first key of the gateway ``default`` makes it. Raises NotFound, Invalid and Conflict."""
    if gateway_id == DEFAULT:
        await ensure_default(context)
    now, account = instants.now(), context.account
    async with changing(context) as change:
        row = found(await gateways.get(change.connection, account, gateway_id))
        provider, shape = await _provider(change.connection, account, body.provider_slug)
        key = KeyRow(
            id=randomness.token_hex(16),
            gateway=row.number,
            provider=provider,
            alias=body.alias,
            default_config=body.default_config,
            secret=None,
            secret_id=body.secret_id,
            secret_preview="",
            rate_limit=body.rate_limit,
            rate_limit_period=body.rate_limit_period,
            generation=1,
            created_at=now,
            modified_at=now,
        )
        if body.secret is not None:
            key = _with_secret(context.control.vault, account, key, shape, body.secret)
        elif not body.secret_id:
            raise Invalid("secret: is needed", path=("body", "secret"))
        _check_limit(key)
        try:
            await provider_keys.add(change.connection, key)
        except Taken:
            raise _taken(key) from None
        await _written(change, row, "create", None, key, changed=False)
    return told(gateway_id, key)


async def update(context: Context, gateway_id: str, key_id: str, body: ProviderConfigUpdate) -> dict[str, Any]:
    """What changes nothing leaves no trace. Raises NotFound, Invalid and Conflict."""
    vault, account = context.control.vault, context.account
    async with changing(context) as change:
        row, old = await _found(change.connection, account, gateway_id, key_id)
        provider, shape = await _provider(change.connection, account, body.provider_slug or old.provider)
        sent = {"id": body.id, "gateway_id": body.gateway_id, "provider_slug": provider}
        refuse_another(sent, {"id": old.id, "gateway_id": gateway_id, "provider_slug": old.provider})
        key = msgspec.structs.replace(old, **_given(body, old))
        secret = _opened(vault, account, old)
        changed = body.secret is not None and _plain(shape, body.secret) != secret
        if changed:
            key = _with_secret(vault, account, key, shape, body.secret or "")
            key = msgspec.structs.replace(key, generation=old.generation + 1, refused_at=None, refused_status=None)
        elif key.alias != old.alias and old.secret is not None:  # sealed to its place, which has another name now
            if secret is None:
                raise Invalid("secret: the stored one cannot be opened; send it again", path=("body", "secret"))
            key = _with_secret(vault, account, key, shape, secret)
        if key == old:
            return told(gateway_id, old)
        _check_limit(key)
        key = msgspec.structs.replace(key, modified_at=max(instants.now(), old.modified_at + 1))
        try:
            await provider_keys.change(change.connection, key)
        except Taken:
            raise _taken(key) from None
        await _written(change, row, "update", old, key, changed=changed)
    return told(gateway_id, key)


async def delete(context: Context, gateway_id: str, key_id: str) -> dict[str, Any]:
    """Answers what it was. Raises NotFound."""
    async with changing(context) as change:
        row, key = await _found(change.connection, context.account, gateway_id, key_id)
        await provider_keys.delete(change.connection, row.number, key.id)
        await _written(change, row, "delete", key, None, changed=False)
    return told(gateway_id, key)


def messages(key: Mapping[str, Any], secret: str | None) -> list[dict[str, Any]]:
    """Those of a new key: one that was stored without a secret cannot travel."""
    if secret is not None:
        return []
    sentence = f"The key {key['alias']!r} has no secret: calls cannot use it; secret_id alone names none here."
    return [{"code": STORED_ONLY, "message": sentence, "path": ["body", "secret"]}]


async def _written(
    change: Change, row: GatewayRow, done: str, before: KeyRow | None, after: KeyRow | None, *, changed: bool
) -> None:
    """Raises the version of whatever may use the key, and adds to the audit trail."""
    sides = (_audited(row.id, before, MASK), _audited(row.id, after, CHANGED if changed else MASK))
    subject = before or after
    assert subject is not None
    version = await change.record(f"provider_config.{done}", subject.id, *sides)
    if gateways.store_of(row.settings):
        await gateways.touch_all(change.connection, row.account, version)
    else:
        await gateways.touch(change.connection, row.number, version)


def _audited(gateway_id: str, key: KeyRow | None, secret: str) -> dict[str, Any] | None:
    return None if key is None else traits(gateway_id, key) | {"secret": None if key.secret is None else secret}


async def _found(connection: Handle, account: str, gateway_id: str, key_id: str) -> tuple[GatewayRow, KeyRow]:
    row = found(await gateways.get(connection, account, gateway_id))
    return row, found(await provider_keys.get(connection, row.number, key_id))


async def _provider(connection: Handle, account: str, slug: str) -> tuple[str, str]:
    """The id of the provider, and what a key of it that is JSON holds. Raises Invalid."""
    if (row := catalog.load().get(slug)) is not None:
        return row.id, row.credential_json
    own = [CUSTOM + custom.slug for custom in await custom_providers.of(connection, account)]
    if slug in own:
        return slug, ""
    known = ", ".join([*sorted({row.id for row in catalog.load().values()}), *sorted(own)])
    raise Invalid(f"provider_slug: there is no provider {slug!r}; known are {known}", path=("body", "provider_slug"))


def _plain(shape: str, secret: str) -> str:
    """As it is stored: JSON without the white space around it."""
    stripped = secret.strip()
    return stripped if credential_json.is_json(shape, stripped) else secret


def _with_secret(vault: Vault, account: str, key: KeyRow, shape: str, secret: str) -> KeyRow:
    """Raises Invalid."""
    plain = shown = _plain(shape, secret)
    if credential_json.is_json(shape, plain):
        try:
            shown = credential_json.read(shape, plain).name
        except ValueError as error:
            raise Invalid(f"secret: {error}", path=("body", "secret")) from None
    elif not plain.isprintable() or plain != plain.strip():
        raise Invalid(
            "secret: must be visible ASCII without spaces at its ends, as a header can hold it",
            path=("body", "secret"),
        )
    sealed = vault.seal(plain, *key_place(account, key.gateway, key.provider, key.alias))
    preview = shown[-TAIL:] if len(shown) >= LONG else ""
    return msgspec.structs.replace(key, secret=sealed, secret_preview=preview)


def _opened(vault: Vault, account: str, key: KeyRow) -> str | None:
    """None where there is none, or where it was sealed with another master key."""
    if key.secret is None:
        return None
    try:
        return vault.open(key.secret, *key_place(account, key.gateway, key.provider, key.alias))
    except NotOpened:
        return None


def _given(body: ProviderConfigUpdate, old: KeyRow) -> dict[str, Any]:
    """The values that were sent; null clears a limit, and says nothing of the others."""
    sent = body.model_fields_set
    values = {name: getattr(body, name) for name in ("alias", "default_config", "secret_id")}
    given = {name: value for name, value in values.items() if value is not None}
    limits = {name: getattr(body, name) for name in ("rate_limit", "rate_limit_period") if name in sent}
    return given | limits


def _check_limit(key: KeyRow) -> None:
    """Raises Invalid for half of a limit, which would not act."""
    for name, other in (("rate_limit", "rate_limit_period"), ("rate_limit_period", "rate_limit")):
        if getattr(key, name) and not getattr(key, other):
            raise Invalid(f"{other}: is needed where {name} is set", path=("body", other))


def _taken(key: KeyRow) -> Conflict:
    return Conflict(f"alias: the gateway has a key {key.alias!r} of {key.provider} already", path=("body", "alias"))
