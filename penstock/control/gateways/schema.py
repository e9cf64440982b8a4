"""What the API says about gateways: every name and every range (docs/gateways.md tells what they mean).

Where the documents of the API disagree, the wider range stands. Bodies are strict: an unknown field or a wrong type is
refused. What passed is kept as it was sent, so that it can be answered member for member.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from penstock.control.envelope import Paging
from penstock.control.values import EXACT, WHOLE, Amount, GatewayId, HeaderName, Text, Url, Visible, integers, spelt
from penstock.core import instants
from penstock.providers.redact.paths import LONGEST, MOST, SHAPE
from penstock.storage.gateways import GatewayRow

MASK = "********"  # what is answered in the place of a secret
_FRACTIONS = frozenset({"limit"})  # numbers that need not be whole

Name = Annotated[Text, Field(min_length=1, max_length=256)]
RedactPath = Annotated[
    str,
    *spelt(
        SHAPE,
        "must be metadata and a key, or request or response and members, as in request.messages[*].content",
    ),
    Field(max_length=LONGEST),
]
Names = Annotated[list[Name], Field(max_length=100)]
MetadataKey = Annotated[Text, Field(min_length=1, max_length=128)]
Secret = Annotated[Visible, Field(min_length=1)]
Verdict = Literal["FLAG", "BLOCK"]
Days = Annotated[int, Field(ge=1, le=3650), WHOLE]


class Strict(BaseModel):
    """A body, or a part of one."""

    model_config = ConfigDict(extra="forbid", strict=True)


# DLP, in either of its two shapes


class DlpProfiles(Strict):
    """One action for all profiles, on prompts and answers."""

    enabled: bool
    action: Verdict
    profiles: Names


class DlpPolicy(Strict):
    id: Name
    enabled: bool
    action: Verdict
    check: Annotated[list[Literal["REQUEST", "RESPONSE"]], Field(max_length=10)]
    profiles: Names


class DlpPolicies(Strict):
    """Policies, each with an action of its own."""

    enabled: bool
    policies: Annotated[list[DlpPolicy], Field(max_length=100)]


def _dlp(value: object, _: ValidatorFunctionWrapHandler) -> DlpProfiles | DlpPolicies:
    """Decides for one shape, so that a fault has the path of its field and not of both."""
    shape = DlpPolicies if isinstance(value, dict) and "policies" in value else DlpProfiles
    return shape.model_validate(value)


# Guardrails


class Categories(Strict):
    """What is done about each category; one that is left out, or null, is not looked for."""

    P1: Verdict | None = Field(None, description="Prompt injection.")
    S1: Verdict | None = Field(None, description="Violent crimes.")
    S2: Verdict | None = Field(None, description="Non-violent crimes.")
    S3: Verdict | None = Field(None, description="Sex-related crimes.")
    S4: Verdict | None = Field(None, description="Child sexual exploitation.")
    S5: Verdict | None = Field(None, description="Defamation.")
    S6: Verdict | None = Field(None, description="Specialised advice.")
    S7: Verdict | None = Field(None, description="Privacy.")
    S8: Verdict | None = Field(None, description="Intellectual property.")
    S9: Verdict | None = Field(None, description="Indiscriminate weapons.")
    S10: Verdict | None = Field(None, description="Hate.")
    S11: Verdict | None = Field(None, description="Suicide and self-harm.")
    S12: Verdict | None = Field(None, description="Sexual content.")
    S13: Verdict | None = Field(None, description="Elections.")


class Guardrails(Strict):
    prompt: Categories
    response: Categories


# Export and billing


class Otel(Strict):
    """A collector that gets a span for each call."""

    url: Url
    headers: Annotated[
        dict[HeaderName, Visible],
        Field(max_length=64, json_schema_extra={"additionalProperties": False}),
    ]
    authorization: Secret | None = Field(None, description=f"Secret; answered as {MASK}.")
    content_type: Literal["json", "protobuf"] | None = None


class UsageEvent(Strict):
    payload: Annotated[Text, Field(max_length=16384)]


class Stripe(Strict):
    authorization: Secret = Field(description=f"Secret; answered as {MASK}.")
    usage_events: Annotated[list[UsageEvent], Field(max_length=20)]


# Spend limits


class Filter(Strict):
    """The rule is for these alone."""

    mode: Literal["filter"]
    values: Names


class Partition(Strict):
    """Each value has a limit of its own."""

    mode: Literal["partition"]


def _by_metadata(value: object, _: ValidatorFunctionWrapHandler) -> Filter | Partition:
    parts = cast("dict[object, object]", value) if isinstance(value, dict) else {}
    return (Filter if parts.get("mode") == "filter" or "values" in parts else Partition).model_validate(value)


class SpendRule(Strict):
    limit: Annotated[float, Field(gt=0, le=1_000_000_000, allow_inf_nan=False, description="US dollars.")]
    limitType: Literal["cost"]  # noqa: N815  its name on the wire
    window: Annotated[int, Field(ge=1, le=EXACT, description="Seconds."), WHOLE]
    id: Name | None = None
    enabled: bool | None = None
    technique: Literal["fixed", "sliding"] | None = None
    metadata: (
        Annotated[
            dict[Name, Annotated[Partition | Filter, WrapValidator(_by_metadata)]],
            Field(max_length=20, json_schema_extra={"additionalProperties": False}),
        ]
        | None
    ) = None
    model: Filter | None = None
    provider: Filter | None = None


class SpendLimits(Strict):
    enabled: bool | None = None
    rules: Annotated[list[SpendRule], Field(max_length=20)] | None = None


# The gateway


class Settings(Strict):
    """What can be set. A setting that is left out, or null, has its default."""

    analytics_metadata_keys: Annotated[list[MetadataKey], Field(max_length=5)] | None = Field(
        None, description="Metadata keys whose values analytics tell apart. An addition of Penstock."
    )
    authentication: bool | None = Field(None, description="Calls need a token of ours with the permission Run.")
    byok_only: bool | None = Field(None, description="Calls need the provider's key of the customer.")
    cache_invalidate_on_update: bool = Field(description="A change of the gateway drops what it has cached.")
    cache_streams: bool | None = Field(None, description="Streams are cached too. An addition of Penstock.")
    cache_ttl: Amount | None = Field(description="Seconds that an answer is cached; 0 or null: none is.")
    collect_log_payloads: bool | None = Field(None, description="The log keeps bodies. An addition of Penstock.")
    collect_logs: bool = Field(description="Calls are logged.")
    ask_usage: bool | None = Field(
        None, description="Streams that would not tell their usage are asked for it. An addition of Penstock."
    )
    dlp: Annotated[DlpProfiles | DlpPolicies, WrapValidator(_dlp)] | None = None
    guardrails: Guardrails | None = None
    log_classification: bool | None = Field(None, description="Calls are labelled with the kind of their task.")
    log_management: Annotated[int, Field(ge=10_000, le=10_000_000), WHOLE] | None = Field(
        None, description="Rows kept."
    )
    log_management_strategy: Literal["STOP_INSERTING", "DELETE_OLDEST"] | None = Field(
        None, description="What is done when as many rows are kept as may be."
    )
    log_redact: Annotated[list[RedactPath], Field(max_length=MOST)] | None = Field(
        None, description="Paths of values that the log does not store. An addition of Penstock."
    )
    log_retention_days: Days | None = Field(None, description="Log rows go after so long. An addition of Penstock.")
    log_body_retention_days: Days | None = Field(
        None, description="Bodies go after so long; their rows stay. An addition of Penstock."
    )
    logpush: bool | None = Field(None, description="Log records are pushed, encrypted.")
    logpush_public_key: Annotated[Text, Field(min_length=16, max_length=1024)] | None = None
    otel: Annotated[list[Otel], Field(max_length=20)] | None = None
    rate_limiting_interval: Amount | None = Field(description="Seconds; 0 or null: no limit.")
    rate_limiting_limit: Amount | None = Field(description="Calls within the interval; 0 or null: no limit.")
    rate_limiting_technique: Literal["fixed", "sliding"] | None = None
    retry_backoff: Literal["constant", "linear", "exponential"] | None = None
    retry_delay: Annotated[int, Field(ge=0, le=60_000), WHOLE] | None = Field(None, description="Milliseconds.")
    retry_max_attempts: Annotated[int, Field(ge=1, le=5), WHOLE] | None = Field(
        None, description="All attempts together."
    )
    spend_limits: SpendLimits | None = None
    store_id: Annotated[Text, Field(max_length=256)] | None = Field(
        None, description="Gateways of the account with the same one share stored keys."
    )
    stripe: Stripe | None = None
    workers_ai_billing_mode: Literal["postpaid", "unified"] | None = Field(
        None, description="postpaid: no key of the operator's travels to Workers AI."
    )
    zdr: bool | None = Field(None, description="Providers are asked to keep nothing of calls with the operator's keys.")

    _sent: dict[str, Any] = PrivateAttr()

    @model_validator(mode="wrap")
    @classmethod
    def _keep(cls, value: Any, handler: ModelWrapValidatorHandler["Settings"]) -> "Settings":
        made = handler(value)
        made._sent = integers(value, _FRACTIONS)  # noqa: SLF001  its own
        return made

    @property
    def sent(self) -> dict[str, Any]:
        """The settings as they came, without what can only be read."""
        return {name: value for name, value in self._sent.items() if name in Settings.model_fields}


class GatewayCreate(Settings):
    """A new gateway."""

    id: GatewayId = Field(description="Unique within the account.")


class GatewayUpdate(Settings):
    """What a gateway is to be. What was read can be sent back: fields that can only be read must be as they are,
    and times are passed over.
    """

    id: str | None = None
    account_id: str | None = None
    is_default: bool | None = None
    created_at: str | None = None
    modified_at: str | None = None


class Gateway(Settings):
    """A gateway. Settings that were never sent are not in it."""

    id: GatewayId
    account_id: str
    is_default: bool = Field(description="Whether this is the gateway `default`, which is made when it is called.")
    created_at: datetime
    modified_at: datetime


class GatewayPaging(Paging):
    """Which page of which gateways."""

    per_page: int = Field(20, ge=1, le=1000, description="Entries a page.")
    search: Text = Field("", max_length=64, description="A part of the id.")


def told(row: GatewayRow, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A gateway as it is answered. ``settings``: the row's, secrets masked."""
    return {
        "id": row.id,
        "account_id": row.account,
        "is_default": row.id == DEFAULT,
        "created_at": instants.text(row.created_at),
        "modified_at": instants.text(row.modified_at),
        **settings,
    }


class Held(NamedTuple):
    """A secret among settings: ``holder[name]`` is its value. It is good for the address ``goes_to`` alone."""

    path: tuple[str | int, ...]
    holder: dict[str, Any]
    name: str
    goes_to: str = ""

    @property
    def value(self) -> str:
        return self.holder[self.name]

    @property
    def field(self) -> str:
        """Which secret it is, at whatever place of a list."""
        return ".".join(part for part in self.path if isinstance(part, str))


def secrets(settings: Mapping[str, Any]) -> Iterator[Held]:
    """Every secret that the settings hold."""
    for index, entry in enumerate(settings.get("otel") or ()):
        if entry.get("authorization") is not None:
            yield Held(("otel", index, "authorization"), entry, "authorization", entry["url"])
    if stripe := settings.get("stripe"):
        yield Held(("stripe", "authorization"), stripe, "authorization")


def urls(settings: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every address that the settings have called, with its path."""
    for index, entry in enumerate(settings.get("otel") or ()):
        yield ("otel", index, "url"), entry["url"]


# The default gateway

DEFAULT = "default"  # the gateway that an authenticated call makes if it is not there
DEFAULT_GATEWAY: dict[str, Any] = {
    "authentication": True,
    "cache_invalidate_on_update": False,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}
