"""What a call asks of the gateway for itself: whether it is logged, cached and tried again, with what, at whose prices.

Writes ``options``. Ends no call: a header that cannot be understood is ignored, and the row says so.
"""

from collections.abc import Mapping

from penstock.model.options import ONCE, CallOptions, CustomCost, Retry
from penstock.model.request import Request
from penstock.providers.pricing import read_custom
from penstock.wire import metadata
from penstock.wire.headers import like_ours
from penstock.wire.masked import MASK, word
from penstock.wire.numbers import whole

DEFAULT_TTL = 300  # seconds, for a call that brings a key to a gateway without a time of its own
TTLS = (60, 30 * 24 * 3600)  # seconds that a call may ask for
ATTEMPTS = (1, 5)
DELAYS = (0, 60_000)  # milliseconds
TIMEOUTS = (0, 24 * 3600 * 1000)  # milliseconds; 0: none

_SWITCH = {b"true": True, b"1": True, b"false": False, b"0": False}
_BACKOFFS = frozenset({"constant", "linear", "exponential"})
_SHOWN = 64  # characters of a value that cannot be understood, in the row's warning
_WARNINGS = 10  # of one header: a head has room for thousands of faults
_ASKING = frozenset(
    {
        *(b"cf-aig-collect-log", b"cf-aig-collect-log-payload", b"cf-aig-metadata", b"cf-aig-custom-cost"),
        *(b"cf-aig-cache-ttl", b"cf-cache-ttl", b"cf-aig-skip-cache", b"cf-skip-cache", b"cf-aig-cache-key"),
        *(b"cf-aig-max-attempts", b"cf-aig-retry-delay", b"cf-aig-backoff", b"cf-aig-request-timeout"),
        *(b"cf-aig-explain", b"cf-aig-byok-alias", b"cf-aig-no-wholesale", b"cf-aig-zdr"),
        *(b"cache-control", b"pragma"),
    }
)
_NONE: frozenset[bytes] = frozenset()


class Options:
    """The gateway's own settings, and what a call's headers make of them."""

    def __init__(
        self,
        *,
        collect_logs: bool,
        collect_log_payloads: bool,
        cache_ttl: int = 0,
        retry: Retry = ONCE,
        zdr: bool = False,
        rolled: tuple[str, ...] = (),
    ) -> None:
        self._log = collect_logs
        self._payloads = collect_log_payloads
        self._ttl = cache_ttl
        self._retry = retry
        self._zdr = zdr
        self._rolled = rolled
        payloads = collect_logs and collect_log_payloads
        self.plain = CallOptions(
            log=collect_logs, payloads=payloads, rolled=rolled, cache_ttl=cache_ttl, retry=retry, zdr=zdr
        )
        self.unread = CallOptions(log=collect_logs, payloads=False)  # of a call that was not let in

    def read(self, request: Request, warnings: list[str]) -> CallOptions:
        """What holds for this request. ``warnings`` gets a line for each header that is ignored or changed."""
        first = request.first
        if _ASKING.isdisjoint(first):
            return self.plain
        said = _Said(first, warnings)
        data, cost = first.get(b"cf-aig-metadata"), first.get(b"cf-aig-custom-cost")
        log = said.switch("cf-aig-collect-log", otherwise=self._log)
        payloads = said.switch("cf-aig-collect-log-payload", otherwise=self._payloads) and log
        timeout = said.number("cf-aig-request-timeout", TIMEOUTS)
        key = first.get(b"cf-aig-cache-key") or None
        told = _directives(request) if b"cache-control" in first or b"pragma" in first else _NONE
        return CallOptions(
            log=log,
            payloads=payloads,
            metadata=None if data is None else _metadata(data, warnings),
            rolled=self._rolled,
            cost=None if cost is None else _cost(cost, warnings),
            cache_ttl=0 if b"no-store" in told else self._cache_ttl(said, key),
            cache_key=key,
            skip_cache=said.switch("cf-aig-skip-cache", "cf-skip-cache", otherwise=False) or b"no-cache" in told,
            retry=self._retries(said),
            timeout=timeout / 1000 if timeout else None,
            explain=said.switch("cf-aig-explain", otherwise=False),
            byok_alias="" if request.surface.api else first.get(b"cf-aig-byok-alias", b"").decode("utf-8", "replace"),
            no_wholesale=said.switch("cf-aig-no-wholesale", otherwise=False),
            zdr=said.switch("cf-aig-zdr", otherwise=self._zdr),
        )

    def _cache_ttl(self, said: "_Said", key: bytes | None) -> int:
        """A time alone opts no call in; a key does."""
        if not self._ttl and key is None:
            return 0
        asked = said.number("cf-aig-cache-ttl", TTLS, "cf-cache-ttl", off=True)
        return (self._ttl or DEFAULT_TTL) if asked is None else asked

    def _retries(self, said: "_Said") -> Retry:
        attempts = said.number("cf-aig-max-attempts", ATTEMPTS)
        delay = said.number("cf-aig-retry-delay", DELAYS)
        backoff = said.word("cf-aig-backoff", _BACKOFFS)
        if attempts is None and delay is None and not backoff:
            return self._retry
        return Retry(
            self._retry.attempts if attempts is None else attempts,
            self._retry.delay if delay is None else delay / 1000,
            backoff or self._retry.backoff,
        )


class _Said:
    """A call's own headers, each by its name or an older one. What cannot be understood becomes a warning."""

    def __init__(self, first: Mapping[bytes, bytes], warnings: list[str]) -> None:
        self._first = first
        self._warnings = warnings

    def switch(self, *names: str, otherwise: bool) -> bool:
        name, value = self._find(names)
        if value is None:
            return otherwise
        said = _SWITCH.get(value.strip().lower())
        if said is None:
            self._ignore(name, value, "is neither true nor false")
            return otherwise
        return said

    def number(self, name: str, within: tuple[int, int], *older: str, off: bool = False) -> int | None:
        """A whole number, moved into its range; ``off``: it may be 0 as well. None: nothing was said."""
        name, value = self._find((name, *older))
        if value is None:
            return None
        if off and value.strip() == b"0":
            return 0
        number, wrong = whole(value, *within)
        if number is None:
            self._ignore(name, value, wrong)
        elif wrong:
            self._warnings.append(f"{name} {_shown(value)} {wrong}")
        return number

    def word(self, name: str, words: frozenset[str]) -> str:
        """One of the words; empty: none was said."""
        name, value = self._find((name,))
        if value is None:
            return ""
        said = value.strip().lower().decode("latin-1")
        if said not in words:
            self._ignore(name, value, f"is none of {', '.join(sorted(words))}")
            return ""
        return said

    def _find(self, names: tuple[str, ...]) -> tuple[str, bytes | None]:
        for name in names:
            if (value := self._first.get(name.encode())) is not None:
                return name, value
        return names[0], None

    def _ignore(self, name: str, value: bytes, why: str) -> None:
        self._warnings.append(f"{name} ignored: {_shown(value)} {why}")


def _directives(request: Request) -> frozenset[bytes]:
    """The names in all lines of ``cache-control``; of ``pragma``, which is its predecessor, where there is none. A step
    without such a header has the first line of its call's.
    """
    name = b"cache-control" if b"cache-control" in request.first else b"pragma"
    lines = [value for lower, _, value in request.headers if lower == name] or [request.first[name]]
    return frozenset([_directive(word) for word in b",".join(lines).lower().split(b",")])


def _directive(word: bytes) -> bytes:
    """Its name. ``max-age=0`` asks for what ``no-cache`` does."""
    name, _, value = word.partition(b"=")
    name = name.strip()
    return b"no-cache" if name == b"max-age" and b"0" in value and not value.strip(b' \t"0') else name


def _shown(value: bytes) -> str:
    return repr(word(value)[:_SHOWN])


def _metadata(value: bytes, warnings: list[str]) -> str | None:
    stored, lost = metadata.read(value)
    warnings += [f"cf-aig-metadata: {MASK if like_ours(what.encode()) else what}" for what in lost[:_WARNINGS]]
    if stored is not None and like_ours(stored.encode()):
        warnings.append("cf-aig-metadata ignored: it holds what looks like a token of this gateway")
        return None
    return stored


def _cost(value: bytes, warnings: list[str]) -> CustomCost | None:
    try:
        return read_custom(value)
    except ValueError as error:
        warnings.append(f"cf-aig-custom-cost ignored: {error}")
        return None
