"""Which headers travel on, and which stay (specification of the data plane, 1.1)."""

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
    }
)
_PLAIN = frozenset({b"close", b"keep-alive", b"Close", b"Keep-Alive", b"Keep-alive"})
_KNOWN = 1024  # names remembered for each direction; beyond, they are judged anew every time


class _Travels(dict[bytes, bool]):
    """Whether a header of that lower-case name travels on; judged once a name."""

    def __init__(self, names: frozenset[bytes], prefixes: tuple[bytes, ...]) -> None:
        super().__init__()
        self._names = names
        self._prefixes = prefixes

    def __missing__(self, name: bytes) -> bool:
        travels = name not in self._names and not name.startswith(self._prefixes)
        if len(self) < _KNOWN:
            self[name] = travels
        return travels


_ONWARD = _Travels(HOP_BY_HOP | _OURS, (b"cf-aig-", b"x-forwarded-"))
_BACK = _Travels(HOP_BY_HOP, (b"cf-aig-",))


def onward(headers: Headers) -> Headers:
    """The request headers that go to the provider, in order and spelt as sent."""
    return _travelling(headers, _ONWARD)


def back(headers: Headers) -> Headers:
    """The answer's headers that go to the client."""
    return _travelling(headers, _BACK)


def _travelling(headers: Headers, travels: _Travels) -> Headers:
    named: set[bytes] = set()
    for lower, _, value in headers:
        if lower == b"connection" and value not in _PLAIN:  # it may name further headers for the neighbour only
            named |= {token.strip().lower() for token in value.split(b",")}
    if named:  # all at once: a head can hold thousands of such lines
        headers = [h for h in headers if h[0] not in named]
    return [h for h in headers if travels[h[0]]]
