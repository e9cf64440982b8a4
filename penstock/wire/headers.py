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
# Meant for the gateway or telling of its surroundings.
_OURS = frozenset({b"cf-access-jwt-assertion", b"cf-connecting-ip", b"cf-ray", b"cookie", b"forwarded"})
_STAYS = HOP_BY_HOP | _OURS
_OUR_PREFIXES = (b"cf-aig-", b"x-forwarded-")


def onward(headers: Headers) -> Headers:
    """The request headers that go to the provider, in order and spelt as sent."""
    return _without(headers, _STAYS, _OUR_PREFIXES)


def back(headers: Headers) -> Headers:
    """The answer's headers that go to the client."""
    return _without(headers, HOP_BY_HOP, (b"cf-aig-",))


def _without(headers: Headers, names: frozenset[bytes], prefixes: tuple[bytes, ...]) -> Headers:
    for lower, _, value in headers:
        if lower == b"connection":  # it may name further headers that are for the neighbour only
            names |= {token.strip().lower() for token in value.split(b",")}
    return [h for h in headers if h[0] not in names and not h[0].startswith(prefixes)]
