"""Where a provider's calls go: its row, compiled with the operator's base URL, if there is one. Pure."""

import ipaddress
import re
from urllib.parse import urlsplit

from penstock.ports.transport import Origin
from penstock.providers.catalog import OPAQUE, Endpoint, Provider

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_PRINTABLE = re.compile(r"[\x21-\x7e]*")


class Upstream:
    """One provider's place.

    ``origin`` is where to connect, ``host`` the Host header. Paths are those of a request below the provider, raw:
    percent-encoding is not touched. ``base_url`` replaces the row's origin and base path; the row's own base path is
    still understood, and dropped, where a request repeats it. Raises ValueError for a base URL that cannot be used.
    """

    __slots__ = ("_base", "_endpoints", "_prefix", "host", "origin", "provider")

    def __init__(self, provider: Provider, base_url: str | None = None) -> None:
        self.provider = provider
        _, row_base = _parse(provider.base_url, f"{provider.id}.toml: base_url")
        if base_url is None:
            self.origin, self._base = _parse(provider.base_url, f"{provider.id}.toml: base_url")
        else:
            self.origin, self._base = _parse(base_url, f"providers.{provider.id}.base_url")
        self.host = _host_header(self.origin)
        self._prefix = row_base[1:] + b"/" if row_base else b""
        self._endpoints = {endpoint.path.encode(): endpoint for endpoint in provider.endpoints}
        self._endpoints |= {self._prefix + path: endpoint for path, endpoint in self._endpoints.items()}

    def target(self, path: bytes) -> bytes:
        """The absolute path below the origin, without a query."""
        prefix = self._prefix
        if prefix and path.startswith(prefix):
            path = path[len(prefix) :]
        elif not path or path == prefix[:-1]:
            return self._base or b"/"
        return b"%b/%b" % (self._base, path)

    def endpoint(self, path: bytes) -> Endpoint:
        """What the row knows of the operation at this very path; ``OPAQUE`` if nothing."""
        return self._endpoints.get(path, OPAQUE)


# A dot segment, however written: bare or percent-encoded, also twice, between slashes of either kind. Some servers
# cut a segment at its semicolon. And control characters, bare or encoded.
_SLASH = rb"(?:[/\\]|%(?:25)*(?:2f|5c))"
_DOT = rb"(?:\.|%(?:25)*2e)"
_UNSAFE = re.compile(
    rb"(?:^|%b)%b{1,2}(?:$|;|%%(?:25)*3b|%b)|[\x00-\x1f\x7f]|%%(?:25)*(?:[01][0-9a-f]|7f)" % (_SLASH, _DOT, _SLASH),
    re.IGNORECASE,
)


def safe(path: bytes) -> bool:
    """Whether a path stays where it points to: no dot segment in any spelling, no control character."""
    return _UNSAFE.search(path) is None


def _parse(url: str, field: str) -> tuple[Origin, bytes]:
    """Origin and base path (empty, or with a leading and no trailing slash). Raises ValueError naming ``field``."""
    shown = repr(url) if "@" not in url else "the address"  # it may hold a password
    if not _PRINTABLE.fullmatch(url):
        raise ValueError(f"{field}: {shown} holds spaces, control characters or characters outside ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise ValueError(f"{field}: {shown} is not a URL: {error}") from error
    if parts.scheme not in _PORTS:
        raise ValueError(f"{field}: must begin with http:// or https://, not {shown}")
    if "@" in parts.netloc:
        raise ValueError(f"{field}: must not carry credentials")
    if "?" in url or "#" in url:
        raise ValueError(f"{field}: must not have a query or a fragment: {shown}")
    if not _valid_host(host, bracketed="[" in parts.netloc):
        raise ValueError(f"{field}: {host!r} is not a host name or address")
    if port == 0:
        raise ValueError(f"{field}: there is no port 0")
    if not safe(parts.path.encode()):
        raise ValueError(f"{field}: the path may hold no dot segments: {url!r}")
    origin = Origin(parts.scheme == "https", host, port or _PORTS[parts.scheme])
    return origin, parts.path.rstrip("/").encode()


def _valid_host(host: str, *, bracketed: bool) -> bool:
    if not bracketed:
        return _HOST.fullmatch(host) is not None
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _host_header(origin: Origin) -> bytes:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    standard = _PORTS["https" if origin.tls else "http"]
    return host.encode() if origin.port == standard else f"{host}:{origin.port}".encode()
