"""The log record of a call (docs/logging.md)."""

import msgspec

from penstock.model.decision import Decisions
from penstock.model.plan import Attempt
from penstock.model.usage import Used


class LogRecord(msgspec.Struct, array_like=True):
    """One log row and its two bodies. Holds no reference to the call; travels to the log writer as MessagePack.

    ``gateway`` is its number (0: the address of the call exists nowhere). ``logged``: whether there is to be a row;
    without one the call only counts, ``detail`` is ``{}``, and there are no bodies. Times are milliseconds since the
    epoch, durations whole milliseconds (``latency``: to the first byte), ``cost`` nano-dollars (None: not known).
    ``metadata`` is a JSON object; ``rolled``: its keys that have roll-ups. ``cache_read``: tokens that the provider
    read from its cache. ``saved``: what a hit saved: tokens in and out, nano-dollars; None: it was no hit. ``detail``
    is the JSON object of everything that nobody filters or sorts by; its members are those of ``Detail``. Who stores
    a record first takes out what ``redact`` names (``storage.log.redact``).

    Money, in nano-dollars, counted with the record, once, whether it is ``logged`` or not: ``spends`` of budgets
    (``model.money``): owner, when the bucket began, when it counts no more (0: never), and the amount; ``charge``: the
    account that pays for the call, and how much. What is charged is not among ``spends``: the ledger counts it.
    ``draft``: the call still runs. It stands for the call until its final record, of the same id, comes; where none
    comes, it is the record.
    """

    id: bytes
    gateway: int
    logged: bool
    event_id: str
    created_at: int
    duration: int
    latency: int | None
    provider: str
    model: str
    model_type: str | None
    request_type: str | None
    path: str
    status_code: int
    success: bool
    cached: bool
    step: int
    tokens_in: int | None
    tokens_out: int | None
    cost: int | None
    custom_cost: bool
    metadata: str | None
    request_content_type: str | None
    response_content_type: str | None
    request_size: int
    response_size: int
    user_agent: str | None
    outcome: str
    authentication: bool
    wholesale: bool
    compatibility_mode: bool
    dlp_action: str | None
    detail: bytes
    request: bytes | None  # None: not to be stored, or larger than the limit
    response: bytes | None
    cache_read: int = 0
    saved: tuple[int, int, int] | None = None
    rolled: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()  # paths of values that must not be stored
    spends: tuple[tuple[str, int, int, int], ...] = ()
    charge: tuple[str, int] | None = None
    draft: bool = False


class Timings(msgspec.Struct):
    """Milliseconds of a call."""

    total: float
    latency: float  # to the answer's first byte
    overhead: float  # ours: all but the waiting for the provider
    upstream: float = 0.0  # that waiting: for heads, bodies, between attempts, and for another call's answer


class Priced(msgspec.Struct, omit_defaults=True):
    """What a cost by the list was computed from. ``prices``: the list, as ``PriceBook.version`` has it."""

    model: str
    used: list[Used]
    terms: tuple[str, ...] = ()
    prices: str = ""


class Detail(msgspec.Struct, omit_defaults=True):
    """Members of a row's ``detail``."""

    method: str
    timings: Timings
    decisions: Decisions
    usage: msgspec.Raw | None = None  # the provider's usage object, verbatim
    attempts: list[Attempt] = []
    error: str | None = None
    warnings: list[str] = []
    cost_source: str = ""  # "provider": the cost is what the provider states; "reserved": the estimate
    snapshot: int = 0
    token: str = ""  # id of the token that let the call in
    priced: Priced | None = None  # None: the cost, if there is one, is not by the list
