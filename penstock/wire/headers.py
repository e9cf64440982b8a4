"""Which headers are forwarded, and which are removed (docs/http.md)."""

import re
from urllib.parse import unquote_to_bytes

from penstock.core.headers import Headers

# Between two neighbours only (RFC 9110, 7.6.1), or set anew by whoever writes the message.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Meant for the gateway, also by their old names, or telling of its surroundings.
_OURS = frozenset(
    {
        b"cf-access-jwt-assertion",
        b"cf-cache-ttl",
        b"cf-connecting-ip",
        b"cf-ray",
        b"cf-skip-cache",
        b"cookie",
        b"forwarded",
        b"x-real-ip",
    }
)
_PLAIN = frozenset({b"close", b"keep-alive", b"Close", b"Keep-Alive", b"Keep-alive"})
_KNOWN = 1024  # names remembered for each direction; beyond, they are judged anew every time

_HINT = re.compile(rb"pst_").search  # an expression is faster than ``in``: this runs for every call
# The beginning of a word, or, within one, all that core.secrets makes, or what passes begin with: a provider's key may
# well hold the four signs.
_LIKE_OURS = re.compile(rb"(?<![\w-])pst_|pst_[A-Za-z0-9]{40}[0-9a-f]{8}|pst_pass_v").search
_ENCODED_HINT = re.compile(  # percent-encoded, any sign of it and any number of times
    rb"(?:p|%(?:25)*70)(?:s|%(?:25)*73)(?:t|%(?:25)*74)(?:_|%(?:25)*5[Ff])"
).search
PERCENT = 0x25  # as a number it is found faster than as bytes
_AGAIN = re.compile(rb"%(?:25)+")


class _Travels(dict[bytes, bool | None]):
    """Whether a header of that lower-case name travels on; judged once a name. None: no, and its value tells of others
    that do not.
    """

    def __init__(self, names: frozenset[bytes], prefixes: tuple[bytes, ...]) -> None:
        super().__init__()
        self._names = names
        self._prefixes = prefixes

    def __missing__(self, name: bytes) -> bool | None:
        travels = None if name == b"connection" else name not in self._names and not name.startswith(self._prefixes)
        if len(self) < _KNOWN:
            self[name] = travels
        return travels


_ONWARD = _Travels(HOP_BY_HOP | _OURS, (b"cf-aig-", b"pst_", b"x-forwarded-"))
_BACK = _Travels(HOP_BY_HOP, (b"cf-aig-",))


def onward(headers: Headers, stays: frozenset[bytes] = frozenset()) -> Headers:
    """The request headers that go to the provider, in order and spelt as sent; ``stays``: names that do not.

    A header whose value looks like a token of ours does not travel, whatever its name.
    """
    kept = _travelling(headers, _ONWARD)
    values = b"\n".join([header[2] for header in kept])
    if _HINT(values) is not None or (PERCENT in values and _ENCODED_HINT(values) is not None):
        kept = [header for header in kept if not like_ours(header[2])]
    return [header for header in kept if header[0] not in stays] if stays else kept


def back(headers: Headers) -> Headers:
    """The answer's headers that go to the client."""
    return _travelling(headers, _BACK)


def like_ours(value: bytes) -> bool:
    """Whether a word in it begins as the tokens do that Penstock makes, or goes on as a whole one; also
    percent-encoded.
    """
    if _HINT(value) is not None and _LIKE_OURS(value) is not None:
        return True
    return PERCENT in value and _ENCODED_HINT(value) is not None and _LIKE_OURS(_decoded(value)) is not None


def _decoded(value: bytes) -> bytes:
    return unquote_to_bytes(_AGAIN.sub(b"%", value))


def _travelling(headers: Headers, travels: _Travels) -> Headers:
    kept: Headers = []
    named: set[bytes] = set()
    for header in headers:
        how = travels[header[0]]
        if how:
            kept.append(header)
        elif how is None and header[2] not in _PLAIN:  # it may name further headers for the neighbour only
            named |= {token.strip().lower() for token in header[2].split(b",")}
    if named:  # all at once: a head can hold thousands of such lines
        kept = [header for header in kept if header[0] not in named]
    return kept
