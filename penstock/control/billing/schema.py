"""What the API says about the money of an account (docs/billing.md tells what it means)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from penstock.control.topups.schema import TopupConfig

Millis = float
_LAST = 2**47  # milliseconds since the epoch: far, and yet a time

CENTS = "US cents, exact to the nano-dollar."


class PaymentMethod(BaseModel):
    """What is charged when credit is topped up."""

    brand: str | None = None
    last4: str | None = None


class CreditBalance(BaseModel):
    """What an account has."""

    balance: float = Field(description=f"{CENTS} Below 0: it was charged more than it has.")
    has_default_payment_method: bool
    payment_method: PaymentMethod | None = None
    topup_config: TopupConfig = Field(description="How credit is topped up automatically; empty: it is not.")
    first_topup_success: bool | None = Field(None, description="Whether a top-up was ever paid.")


class UsageQuery(BaseModel):
    """Which time, in which parts."""

    model_config = ConfigDict(extra="forbid")

    value_grouping_window: Literal["day", "hour"] = Field(description="Length of a window, UTC.")
    start_time: Millis | None = Field(
        None,
        ge=0,
        le=_LAST,
        description="Milliseconds since the epoch; by default 30 days, or for hours 7, before the end.",
    )
    end_time: Millis | None = Field(None, ge=0, le=_LAST, description="By default now.")


class UsageWindow(BaseModel):
    """What the calls of a window were charged."""

    id: str
    aggregated_value: float = Field(description=CENTS)
    start_time: float = Field(description="Milliseconds since the epoch.")
    end_time: float = Field(description="The beginning of the next one.")


class UsageHistory(BaseModel):
    """Oldest first, windows without usage included."""

    history: list[UsageWindow]
