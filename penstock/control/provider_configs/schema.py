"""What the API says about stored keys: every name and every range (docs/keys.md tells what they mean)."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from penstock.control.gateways.schema import Strict
from penstock.control.values import Amount, Text, spelt
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.storage.provider_keys import KeyRow

_B = TypeVar("_B", bound=Strict)

MOST = 16 * 1024  # characters of a secret

Alias = Annotated[
    str,
    *spelt(r"[!-~]([ -~]*[!-~])?", "must be visible ASCII without spaces at its ends"),
    Field(max_length=64),
]
Slug = Annotated[
    str, *spelt(r"[A-Za-z0-9][A-Za-z0-9_-]*", "must be of letters, digits, _ and -"), Field(max_length=128)
]
Secret = Annotated[
    str,
    *spelt(
        r"([!-~]([ -~]*[!-~])?|[ \t\r\n]*\{[\t\n\r -~]*\}[ \t\r\n]*)",
        "must be visible ASCII without spaces at its ends, as a header can hold it, or a JSON object",
    ),
    Field(max_length=MOST),
]


class ProviderConfigCreate(Strict):
    """A new key."""

    alias: Alias = Field(description="What `cf-aig-byok-alias` names it; unique for its provider.")
    default_config: bool = Field(description="Calls that name no alias use it; takes this from the provider's others.")
    provider_slug: Slug = Field(description="Id or alias of a provider, or `custom-` and the slug of a custom one.")
    secret: Secret | None = Field(
        None,
        description="The key, or the JSON of an AWS credential or a Google service account. Never answered again.",
    )
    secret_id: Annotated[Text, Field(max_length=256)] = Field("", description="Kept and shown as it was sent.")
    rate_limit: Amount | None = Field(None, description="Attempts within the period; 0 or null: no limit.")
    rate_limit_period: Amount | None = Field(None, description="Seconds; 0 or null: no limit.")


class ProviderConfigUpdate(Strict):
    """What a key is to be. What is left out stays as it is, null clears a limit, and what was read can be sent back:
    fields that can only be read must be as they are; times and ``secret_preview`` are passed over.
    """

    alias: Alias | None = None
    default_config: bool | None = None
    provider_slug: Slug | None = Field(None, description="Cannot be changed.")
    secret: Secret | None = Field(None, description="Takes the place of the stored one; null: that stays.")
    secret_id: Annotated[Text, Field(max_length=256)] | None = None
    rate_limit: Amount | None = None
    rate_limit_period: Amount | None = None

    id: str | None = None
    gateway_id: str | None = None
    secret_preview: str | None = None
    created_at: str | None = None
    modified_at: str | None = None
    last_used_at: str | None = None
    last_refused_at: str | None = None
    last_refused_status: int | None = None


class ProviderConfig(Strict):
    """A stored key. Limits that are not set are not in it."""

    id: str
    alias: str
    default_config: bool
    gateway_id: str
    provider_slug: str = Field(description="The provider's id, also where an alias of it was sent.")
    secret_id: str
    secret_preview: str = Field(description="The last four characters, of keys of 16 characters and more.")
    rate_limit: int | None = None
    rate_limit_period: int | None = None
    created_at: datetime
    modified_at: datetime
    last_used_at: datetime | None = Field(
        description="When it last travelled to its provider. An addition of Penstock."
    )
    last_refused_at: datetime | None = Field(
        description="When the provider last refused it, and with which status. Additions of Penstock."
    )
    last_refused_status: int | None


def checked(kind: type[_B], fields: dict[str, Any]) -> _B:
    """A body of what was given elsewhere than to the API. Raises Invalid with the path of the first wrong field."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        raise Invalid(f"{problem['loc'][-1]}: {problem['msg']}", path=problem["loc"]) from None


def told(gateway_id: str, key: KeyRow) -> dict[str, Any]:
    """A key as it is answered."""
    return {
        **traits(gateway_id, key),
        "id": key.id,
        "secret_preview": key.secret_preview,
        "created_at": instants.text(key.created_at),
        "modified_at": instants.text(key.modified_at),
        "last_used_at": _instant(key.used_at),
        "last_refused_at": _instant(key.refused_at),
        "last_refused_status": key.refused_status,
    }


def traits(gateway_id: str, key: KeyRow) -> dict[str, Any]:
    """What was chosen when it was made or changed, but for the secret: the audit trail keeps this."""
    limits = {"rate_limit": key.rate_limit, "rate_limit_period": key.rate_limit_period}
    return {
        "gateway_id": gateway_id,
        "provider_slug": key.provider,
        "alias": key.alias,
        "default_config": key.default_config,
        "secret_id": key.secret_id,
        **{name: value for name, value in limits.items() if value is not None},
    }


def _instant(time: int | None) -> str | None:
    return None if time is None else instants.text(time)
