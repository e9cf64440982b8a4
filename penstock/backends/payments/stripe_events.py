"""What Stripe's webhooks say, of the events that concern top-ups. Pure."""

from collections.abc import Callable

import msgspec

from penstock.core import codec
from penstock.ports.payments import News, Payment


class _Data(msgspec.Struct):
    object: codec.Raw


class _Event(msgspec.Struct):
    type: str
    data: _Data


class _Failure(msgspec.Struct):
    message: str | None = None


class _Intent(msgspec.Struct):
    id: str
    metadata: dict[str, str] = {}
    amount_received: int = 0
    payment_method: str | None = None
    last_payment_error: _Failure | None = None


class _Charge(msgspec.Struct):
    payment_intent: str | None = None
    metadata: dict[str, str] = {}
    amount_refunded: int = 0


class _Dispute(msgspec.Struct):
    id: str
    amount: int
    payment_intent: str | None = None


TOPUP = "penstock_topup"  # the member of an intent's metadata that names its top-up
_event = codec.decoder(_Event).decode
_intent = codec.decoder(_Intent).decode
_charge = codec.decoder(_Charge).decode
_dispute = codec.decoder(_Dispute).decode


def read(body: bytes) -> News | None:
    """None: it concerns no top-up, or is no event."""
    try:
        event = _event(body)
        reader = _READERS.get(event.type)
        return None if reader is None else reader(event.data.object)
    except codec.DecodeError:
        return None


def _succeeded(found: codec.Raw) -> News | None:
    intent = _intent(found)
    paid = Payment(intent.id, "completed", intent.amount_received, saved=intent.payment_method or "")
    return _state(intent, paid)


def _failed(found: codec.Raw) -> News | None:
    """Not the end of it: the customer may go on with another means."""
    intent = _intent(found)
    failure = intent.last_payment_error
    reason = (failure.message if failure is not None else None) or "the means of payment was declined"
    return _state(intent, Payment(intent.id, "pending", reason=reason))


def _canceled(found: codec.Raw) -> News | None:
    intent = _intent(found)
    return _state(intent, Payment(intent.id, "canceled"))


def _state(intent: _Intent, payment: Payment) -> News | None:
    topup = intent.metadata.get(TOPUP)
    return None if topup is None else News("state", topup, payment)


def _refunded(found: codec.Raw) -> News | None:
    charge = _charge(found)
    if charge.payment_intent is None:
        return None
    given = Payment(charge.payment_intent, "completed")
    return News("refunded", charge.metadata.get(TOPUP, ""), given, amount=charge.amount_refunded)


def _withdrawn(found: codec.Raw) -> News | None:
    dispute = _dispute(found)
    if dispute.payment_intent is None:
        return None
    return News("withdrawn", "", Payment(dispute.payment_intent, "completed"), dispute.id, dispute.amount)


def _reinstated(found: codec.Raw) -> News | None:
    news = _withdrawn(found)
    return None if news is None else news._replace(kind="reinstated")


_READERS: dict[str, Callable[[codec.Raw], News | None]] = {
    "payment_intent.succeeded": _succeeded,
    "payment_intent.payment_failed": _failed,
    "payment_intent.canceled": _canceled,
    "charge.refunded": _refunded,
    "charge.dispute.funds_withdrawn": _withdrawn,
    "charge.dispute.funds_reinstated": _reinstated,
}
