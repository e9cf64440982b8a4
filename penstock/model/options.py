"""What one call asks of the gateway, by its own headers (specification of the data plane, 2.1)."""

import msgspec


class CustomCost(msgspec.Struct, frozen=True):
    """The caller's own prices, femto-dollars (10^-15): for one token each, or ``total`` for the whole call.

    None: not told. ``total`` stands alone: no rate counts beside it.
    """

    token_in: int | None = None
    token_out: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    total: int | None = None


class CallOptions(msgspec.Struct, frozen=True):
    """What holds for this call, the gateway's settings and the call's headers taken together."""

    log: bool  # a row is written
    payloads: bool  # and both bodies
    metadata: str | None = None  # a JSON object, for the row
    cost: CustomCost | None = None  # in the place of the price list


UNADDRESSED = CallOptions(log=True, payloads=False)  # a call that reached no gateway: a row, and nothing of its body
