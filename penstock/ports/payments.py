"""How accounts pay for credit: what a method of payment does for a top-up. Amounts are cents of US dollars."""

from typing import Literal, NamedTuple, Protocol

State = Literal["pending", "completed", "failed", "canceled"]
Kind = Literal["state", "refunded", "withdrawn", "reinstated"]


class Saved(NamedTuple):
    """A means of payment that is kept for later."""

    id: str
    brand: str | None = None
    last4: str | None = None


class Bill(NamedTuple):
    """What is to be paid. ``topup``: its id, under which the method does each thing once. ``customer``: as the method
    calls the account; ``saved``: id of the means that pays, empty: none is known yet.
    """

    topup: str
    account: str
    amount: int
    customer: str = ""
    saved: str = ""


class Payment(NamedTuple):
    """How a payment stands. ``intent``: what the method calls it; ``amount``: what was paid, once it is completed.

    ``secret``: by which the customer's own program goes on with it. ``saved``: id of the means that paid.
    """

    intent: str
    state: State
    amount: int = 0
    reason: str = ""
    secret: str | None = None
    saved: str = ""


class Invoiced(NamedTuple):
    """An invoice that the method has made. ``url``: where it is shown; ``pdf``: of its document."""

    id: str
    url: str | None = None
    pdf: str | None = None


class News(NamedTuple):
    """What a webhook says of a top-up, which it names by its id (may be empty) or by ``payment.intent``.

    ``state``: the payment stands as it says. ``refunded``: ``amount`` of it in all has been given back.
    ``withdrawn``, ``reinstated``: the dispute ``id`` took ``amount``, or gave it back.
    """

    kind: Kind
    topup: str
    payment: Payment
    id: str = ""
    amount: int = 0


class PaymentRefused(Exception):
    """The payment was not made, and the same try will not make it. ``field``: what of the request is to blame."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class PaymentsAway(Exception):
    """Nobody knows what came of it: the same call may be made again, and does it once."""


class NotSigned(Exception):
    """A webhook that the method has not signed."""


class Payments(Protocol):
    """A method of payment. All but ``news`` and ``close`` raise PaymentRefused and PaymentsAway."""

    name: str
    charges: bool  # whether it pays by itself, by a saved means

    async def customer(self, account: str) -> str:
        """What it calls the account from now on."""
        ...

    async def begin(self, bill: Bill) -> Payment:
        """Begins a payment whose customer is there; a saved means is charged at once."""
        ...

    async def charge(self, bill: Bill) -> Payment:
        """Charges a saved means while its customer is away."""
        ...

    async def look(self, intent: str) -> Payment:
        """How a payment stands."""
        ...

    async def cancel(self, intent: str) -> Payment:
        """Ends a payment that is not completed; answers how it stands then."""
        ...

    async def saved(self, means: str) -> Saved:
        """What is told of a means of payment."""
        ...

    async def invoice(self, bill: Bill) -> Invoiced:
        """Makes the invoice of what was paid, or goes on with it; it is marked paid, and charges nothing."""
        ...

    async def news(self, body: bytes, signature: str) -> News | None:
        """What a webhook says; None: nothing of ours. Raises NotSigned."""
        ...

    def close(self) -> None:
        """Ends what it keeps open."""
        ...


class Manual(Payments):
    """Nobody is charged: a top-up is pending until an operator says that it was paid."""

    name = "manual"
    charges = False

    async def customer(self, account: str) -> str:
        return ""

    async def begin(self, bill: Bill) -> Payment:
        if bill.saved:
            raise PaymentRefused("top-ups are paid to the operator here, by no means that is kept", "payment_method_id")
        return Payment(bill.topup, "pending")

    async def charge(self, bill: Bill) -> Payment:
        return Payment(bill.topup, "pending")

    async def look(self, intent: str) -> Payment:
        return Payment(intent, "pending")

    async def cancel(self, intent: str) -> Payment:
        return Payment(intent, "canceled")

    async def saved(self, means: str) -> Saved:
        return Saved(means)

    async def invoice(self, bill: Bill) -> Invoiced:
        raise PaymentRefused("nobody but Penstock makes invoices here")

    async def news(self, body: bytes, signature: str) -> News | None:
        raise NotSigned

    def close(self) -> None:
        pass


MANUAL = Manual()
