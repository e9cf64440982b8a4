"""What the API says about alerts (docs/alerts.md tells what it means)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from penstock.control.alerts.kinds import KINDS
from penstock.control.gateways.masking import CHANGED
from penstock.control.gateways.schema import MASK
from penstock.control.values import WHOLE, GatewayId, Text, Url, spelt
from penstock.core import codec, instants
from penstock.storage.alert_deliveries import DeliveryRow
from penstock.storage.alerts import AlertRow

WINDOW, CALLS = 300, 20  # seconds, calls: where nothing else is said


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise PydanticCustomError("kind", "must be one of {known}", {"known": ", ".join(KINDS)})
    return kind


Name = Annotated[Text, Field(min_length=1, max_length=256)]
Kind = Annotated[str, AfterValidator(_kind), Field(json_schema_extra={"enum": list(KINDS)})]
Threshold = Annotated[float, Field(ge=0, le=1e9)]
Window = Annotated[int, Field(ge=60, le=86_400), WHOLE]
Calls = Annotated[int, Field(ge=1, le=1_000_000), WHOLE]
Secret = Annotated[
    str,
    *spelt(
        r"whsec_([A-Za-z0-9+/]{4}){8,21}([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
        "must be whsec_ and the base64 of 24 to 64 bytes",
    ),
]


class _Optional(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    threshold: Threshold | None = Field(
        None, description="What the kind says of it: a share, milliseconds, or US dollars."
    )
    minimum_calls: Calls | None = Field(None, description="Fewer calls within the window say nothing.")

    @property
    def sent(self) -> dict[str, Any]:
        """The settings that came."""
        return self.model_dump(exclude_unset=True, exclude={"kind", "gateway_id", "secret", "enabled"})


class AlertCreate(_Optional):
    """A new alert."""

    name: Name
    kind: Kind
    gateway_id: GatewayId | None = Field(None, description="Null: each gateway of the account, for itself.")
    window_seconds: Window = Field(WINDOW, description="What is looked at; it fires once within it at most.")
    url: Url = Field(description="Where its webhooks go; https.")
    secret: Secret | None = Field(None, description="What signs them. Null: one is made, and answered this once.")
    enabled: bool = True


class AlertUpdate(_Optional):
    """What is to be otherwise; what is left out stays as it is."""

    name: Name = ""
    window_seconds: Window = WINDOW
    url: Url = ""
    secret: Secret = Field("", description="Takes the place of the stored one.")
    enabled: bool = True


class Alert(BaseModel):
    """An alert."""

    id: str
    name: str
    kind: str
    gateway_id: str | None
    threshold: float | None
    window_seconds: int
    minimum_calls: int | None
    url: str
    enabled: bool
    firing: int = Field(description="Of how many gateways, or keys, its condition holds.")
    firing_since: datetime | None = Field(description="Of the one that it has held of for longest.")
    created_at: datetime
    modified_at: datetime


class MadeAlert(Alert):
    """A new alert."""

    secret: str = Field(description="What signs its webhooks. Never answered again.")


class Delivery(BaseModel):
    """A webhook that was sent, or is to be."""

    id: str = Field(description="`webhook-id`: the same at each attempt.")
    type: str
    state: str = Field(description="`waiting`, `delivered` or `failed`.")
    attempts: int
    status: int | None = Field(description="Of the last answer.")
    error: str | None = Field(description="Why the last attempt failed.")
    payload: dict[str, Any] = Field(description="What it says.")
    created_at: datetime
    delivered_at: datetime | None
    next_attempt_at: datetime | None


def told(row: AlertRow, firing: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """An alert as it is answered; ``firing`` as storage tells it."""
    many, since = firing.get(row.id, (0, None))
    return {
        "id": row.id,
        **traits(row),
        "firing": many,
        "firing_since": _instant(since),
        "created_at": instants.text(row.created_at),
        "modified_at": instants.text(row.modified_at),
    }


def traits(row: AlertRow) -> dict[str, Any]:
    """What was chosen when it was made or changed, but for the secret."""
    get = row.settings.get
    return {
        "name": get("name"),
        "kind": row.kind,
        "gateway_id": row.gateway_id,
        "threshold": get("threshold"),
        "window_seconds": get("window_seconds"),
        "minimum_calls": get("minimum_calls"),
        "url": get("url"),
        "enabled": row.due_at is not None,
    }


def audited(row: AlertRow, before: AlertRow | None = None) -> dict[str, Any]:
    """The same as the audit trail keeps it."""
    same = before is None or before.secret == row.secret
    return traits(row) | {"secret": MASK if same else CHANGED}


def delivery(row: DeliveryRow) -> dict[str, Any]:
    """A delivery as it is answered."""
    payload: dict[str, Any] = codec.decode(row.body)
    waits = "waiting" if row.due_at is not None else "failed"
    return {
        "id": row.id,
        "type": payload["type"],
        "state": waits if row.delivered_at is None else "delivered",
        "attempts": row.attempts,
        "status": row.status,
        "error": row.error,
        "payload": payload,
        "created_at": instants.text(row.created_at),
        "delivered_at": _instant(row.delivered_at),
        "next_attempt_at": _instant(row.due_at),
    }


def _instant(time: int | None) -> str | None:
    return None if time is None else instants.text(time)
