"""Web pages of other origins as clients (the Fetch standard, 3.2; decision 27).

A browser asks by a pre-flight whether it may send the request, and hands the answer to the page only where the answer
allows it. Cookies and the browser's own credentials are never asked for: the headers that would allow it are not sent.
"""

import re
from collections.abc import Sequence

from penstock.core.headers import Headers
from penstock.model.reply import Reply
from penstock.model.request import Request

Pairs = Sequence[tuple[bytes, bytes]]

MAX_AGE = 7200  # seconds for which a browser remembers a pre-flight; none does so for longer than a day

# Every header may be read. The names are for browsers that do not know the asterisk.
EXPOSED = b", ".join(
    (
        b"*",
        b"cf-aig-cache-status",
        b"cf-aig-cost",
        b"cf-aig-dlp",
        b"cf-aig-event-id",
        b"cf-aig-explain",
        b"cf-aig-log-id",
        b"cf-aig-model",
        b"cf-aig-provider",
        b"cf-aig-request-id",
        b"cf-aig-routed-model",
        b"cf-aig-routing-decision-id",
        b"cf-aig-routing-reason",
        b"cf-aig-run-id",
        b"cf-aig-step",
        b"request-id",
        b"retry-after",
        b"x-request-id",
        b"x-should-retry",
    )
)

_ANY = "*"
_PREFIX = b"access-control-"
_METHOD = b"access-control-request-method"
_HEADERS = b"access-control-request-headers"
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKENS = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z, \t-]*")
_VARY_ORIGIN = (b"vary", b"origin")


class NullCors:
    """No origin is allowed: pages of others get what anybody gets, and their browser keeps it from them."""

    __slots__ = ()

    def asks(self, method: bytes, headers: Headers) -> bool:
        """Whether a request is a pre-flight."""
        return False

    def pairs(self, headers: Headers) -> Pairs:
        """What an answer to a request of these headers says of who may read it."""
        return ()

    def dress(self, request: Request, reply: Reply) -> None:
        """Puts that on a provider's answer, in the place of what the provider says."""

    def grant(self, headers: Headers) -> Pairs:
        """What a pre-flight is answered. Whatever method and headers it names are allowed: who may is decided later."""
        return ()


class Cors(NullCors):
    """Some origins, or all, are allowed."""

    __slots__ = ("_all", "_origins")

    def __init__(self, origins: Sequence[str]) -> None:
        self._all = _ANY in origins
        self._origins = frozenset(origin.encode("latin-1", "replace") for origin in origins)

    def asks(self, method: bytes, headers: Headers) -> bool:
        return method == b"OPTIONS" and {b"origin", _METHOD} <= {lower for lower, _, _ in headers}

    def pairs(self, headers: Headers) -> Pairs:
        return self._answer(_only(headers, b"origin"))

    def dress(self, request: Request, reply: Reply) -> None:
        pairs = self._answer(request.header(b"origin"))
        kept = [header for header in reply.headers if not header[0].startswith(_PREFIX)]
        reply.headers = kept + [(name, name, value) for name, value in pairs]

    def grant(self, headers: Headers) -> Pairs:
        pairs = [(b"vary", b"origin, access-control-request-method, access-control-request-headers")]
        origin = self._allowed(_only(headers, b"origin"))
        method, wanted = _only(headers, _METHOD) or b"", _only(headers, _HEADERS) or b""
        if origin and _TOKEN.fullmatch(method):
            pairs += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-methods", method),
                (b"access-control-max-age", b"%d" % MAX_AGE),
            ]
            if wanted and _TOKENS.fullmatch(wanted):
                pairs.append((b"access-control-allow-headers", wanted))
        return pairs

    def _answer(self, origin: bytes | None) -> Pairs:
        allowed = self._allowed(origin)
        vary = () if self._all else (_VARY_ORIGIN,)
        if not allowed:
            return vary
        return ((b"access-control-allow-origin", allowed), (b"access-control-expose-headers", EXPOSED), *vary)

    def _allowed(self, origin: bytes | None) -> bytes:
        """The origin as the answer names it; empty: not allowed."""
        if origin is None:
            return b""
        if self._all:
            return b"*"
        return origin if origin.lower() in self._origins else b""


def cors(origins: Sequence[str]) -> NullCors:
    """What the setting ``cors_origins`` says."""
    return Cors(origins) if origins else NullCors()


def _only(headers: Headers, name: bytes) -> bytes | None:
    """The value of a header that came; where it came twice, nothing that could match."""
    values = [value for lower, _, value in headers if lower == name]
    return values[0] if len(values) == 1 else None
