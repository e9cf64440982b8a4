"""What a provider reported for one answer."""

from typing import NamedTuple

import msgspec


class Used(NamedTuple):
    """One thing that an answer used and that is paid for, disjoint from all others of the same answer.

    ``kind`` is one of ``providers.kinds``, ``amount`` is positive. ``attributes`` (name, value) set another price than
    the kind's own; ``model``: another model than the answer's made it, at that one's price.
    """

    kind: str
    amount: int
    attributes: tuple[tuple[str, str], ...] = ()


class Usage(msgspec.Struct):
    """``tokens_in`` and ``tokens_out`` are the provider's two main figures, unchanged (None: not told).

    How its other figures relate to them differs by provider, so what is to be paid is worked out in ``used``
    (specification of features, 9.11). ``raw`` is the usage object, verbatim. ``cost``: nano-dollars that the provider
    states (None: it does not). ``terms`` set another price than the model's standard one, as ``service_tier=flex``.
    ``model`` and ``prices``: that it was charged by, where it was by the list; ``prices`` as ``PriceBook.version``.
    ``real``: where the cost is by prices that the caller gave, what it is without them (None: not known).
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    used: list[Used] = []
    raw: bytes = b""
    cost: int | None = None
    terms: tuple[str, ...] = ()
    model: str = ""
    prices: str = ""
    real: int | None = None


class Reported(msgspec.Struct):
    """What an answer said of itself.

    The dialect fills all but ``usage``, which the meter reads from ``raw`` as the provider's row says.
    """

    model: str = ""  # that answered
    raw: bytes = b""  # its usage object; empty: there was none, or see ``unread``
    error: bool = False  # a 2xx answer that carries an error body or error event instead of an answer
    complete: bool = True  # False: it ended without its dialect's own end, whatever HTTP said; not to be kept
    tier: str = ""  # of service
    terms: tuple[str, ...] = ()  # others told outside the usage object, as ``Usage`` has them
    fees: list[Used] = []  # told outside the usage object
    unread: str = ""  # why usage that may be there was not read
    growing: bool = False  # it ended before the tokens of its output were told, and those in ``raw`` are too few
    lost: bool = False  # reading ended before the answer did, as whoever read it says
    id: str = ""  # of an answer that may be asked for again
    unfinished: bool = False  # the provider still works on it, and tells its usage to whoever asks for it by ``id``
    usage: Usage | None = None


class Asked(msgspec.Struct, frozen=True):
    """What a request body asks for, as far as the line must know it."""

    model: str = ""
    stream: bool = False
    wants_usage: bool = False  # a stream whose client asked for the usage frame, or whose dialect always sends it
    used: tuple[Used, ...] = ()  # what is paid for it, where the answer tells no usage
    terms: tuple[str, ...] = ()  # that may set the price of the pictures it asks for, as ``Usage`` has them
    most: int = 0  # tokens of output that an answer may have; 0: it does not say
    choices: int = 1  # answers
