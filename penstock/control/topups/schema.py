"""What top-ups look like on the wire. Amounts are cents of US dollars, times milliseconds since the epoch."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from penstock.control.values import WHOLE, spelt
from penstock.core import ids, instants
from penstock.storage.topups import PayerRow, TopupRow

LEAST, LEAST_THRESHOLD, MOST = 1000, 500, 99_999_999
Money = Annotated[int, Field(ge=LEAST, le=MOST), WHOLE]
Threshold = Annotated[int, Field(ge=LEAST_THRESHOLD, le=MOST), WHOLE]
Reference = Annotated[str, *spelt(r"[!-~]{1,255}", "must be 1 to 255 visible ASCII characters"), Field(max_length=255)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TopupCreate(_Body):
    """A top-up to begin."""

    amount: Money = Field(description="Cents.")
    payment_method_id: Reference | None = Field(None, description="Pays in place of the account's saved means.")


class TopupStatusAsked(_Body):
    """Which top-up."""

    payment_intent_id: Reference


class ConfigCreate(_Body):
    """When credit is topped up automatically, and by how much."""

    amount: Money = Field(description="Cents.")
    threshold: Threshold = Field(description="Cents; below it, credit is topped up.")


class MadeTopup(BaseModel):
    """A top-up that has begun."""

    client_secret: str | None = Field(None, description="By which Stripe's library in the browser goes on with it.")
    onboarding: bool = Field(description="Whether the account had a saved means of payment.")
    payment_intent_id: str
    brand: str | None = Field(None, description="Of the card that pays.")
    last4: str | None = None


class TopupStatus(BaseModel):
    """Whether a top-up is paid."""

    payment_intent_id: str
    status: Literal["completed", "pending"]


class TopupConfig(BaseModel):
    """The automatic top-up; without members: there is none."""

    amount: int | None = None
    threshold: int | None = None
    disabledReason: str | None = Field(  # noqa: N815  its name
        None, description="Why there are no more tries; a new configuration begins anew."
    )
    error: str | None = Field(None, description="Of the last try.")
    lastFailedAt: int | None = Field(None, description="Milliseconds since the epoch.")  # noqa: N815  its name


class SetConfig(BaseModel):
    """The automatic top-up as it was set."""

    amount: int
    threshold: int


class Nothing(BaseModel):
    """An empty object."""


class Topup(BaseModel):
    """A top-up; an addition of Penstock."""

    id: str
    payment_intent_id: str
    method: str
    origin: Literal["manual", "auto"]
    amount: int
    state: Literal["pending", "completed", "failed", "canceled"]
    reason: str | None = Field(description="Why it is not completed.")
    paid: int = Field(description="Cents that came in.")
    refunded: int = Field(description="Cents that went back.")
    created_by: str
    created_at: str
    modified_at: str
    invoice_id: str | None = Field(description="Of its invoice at Stripe; null: there is none, or none yet.")
    hosted_invoice_url: str | None = Field(description="Where Stripe shows the invoice.")
    invoice_pdf: str | None = Field(description="The invoice as Stripe's document.")


def intent(row: TopupRow) -> str:
    """What it is called on the wire."""
    return row.intent or ids.text(row.id)


def told(row: TopupRow) -> dict[str, Any]:
    return {
        "id": ids.text(row.id),
        "payment_intent_id": intent(row),
        "method": row.method,
        "origin": row.origin,
        "amount": row.amount,
        "state": row.state,
        "reason": row.reason,
        "paid": row.paid,
        "refunded": row.refunded,
        "created_by": row.created_by,
        "created_at": instants.text(row.created_at),
        "modified_at": instants.text(row.modified_at),
        "invoice_id": row.invoice,
        "hosted_invoice_url": row.invoice_url,
        "invoice_pdf": row.invoice_pdf,
    }


def config(payer: PayerRow) -> dict[str, Any]:
    """Members that have no value are left out."""
    if payer.amount is None:
        return {}
    members = {
        "amount": payer.amount,
        "threshold": payer.threshold,
        "disabledReason": payer.disabled,
        "error": payer.error,
        "lastFailedAt": payer.failed_at,
    }
    return {name: value for name, value in members.items() if value is not None}
