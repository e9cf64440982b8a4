"""Texts with named parts in braces: base URLs, ``https://{region}.example/v1``, and paths, ``model/{model}/converse``.

Pure. A part of a path is one segment as it came, percent-encoding included; ``{name*}`` is one or more of them. A part
of a host is one DNS label, and the last label of a host is never one: whoever wrote the base URL chose the domain.
"""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from penstock.core.errors import InvalidPath
from penstock.model.plan import Origin

Parts = Mapping[str, bytes]

PART = re.compile(r"\{([a-z][a-z0-9_]*)(\*?)\}")
_PART = re.compile(PART.pattern.encode())
_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(rb"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_LONGEST_HOST = 253
_PRINTABLE = re.compile(r"[\x21-\x7e]*")

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


class BaseUrl:
    """A base URL, perhaps with parts. ``parts`` are the names of all, ``labels`` of those in the host.

    Raises ValueError, naming ``field``, for one that cannot be used.
    """

    __slots__ = ("_fixed", "_host", "_path", "_port", "_tls", "_trusted", "labels", "parts")

    def __init__(self, url: str, field: str, *, trusted: bool = False) -> None:
        sample = PART.sub("x", url)
        origin, path = _parse(sample, field)
        parts = urlsplit(url)
        host = parts.hostname or ""
        self.labels = names(host)
        self.parts = self.labels | names(parts.path)
        if self.labels:
            _check_domain(host, field)
        if any(PART.sub("", segment) for segment in parts.path.split("/") if PART.search(segment)):
            raise ValueError(f"{field}: a part of the path must be a whole segment: {url!r}")
        self._tls, self._port, self._trusted = origin.tls, origin.port, trusted
        self._host = host.encode()
        self._path = parts.path.rstrip("/").encode()
        self._fixed = None if self.parts else (origin._replace(trusted=trusted), host_header(origin), path)

    @property
    def origin(self) -> Origin | None:
        """Where it leads, if that is the same for all paths."""
        return None if self.labels else Origin(self._tls, self._host.decode(), self._port, self._trusted)

    def filled(self, parts: Parts) -> tuple[Origin, bytes, bytes]:
        """Origin, Host header, and base path (empty, or with a leading and no trailing slash).

        Raises InvalidPath naming the part that is missing, or is no label.
        """
        if self._fixed is not None:
            return self._fixed
        for name in sorted(self.parts):
            if name not in parts:
                raise InvalidPath(f"Invalid path: it names no {{{name}}}, as the base URL of this provider asks.")
        for name in sorted(self.labels):
            check_label(name, parts[name])
        host = fill(self._host, parts).decode()
        if not _HOST.fullmatch(host) or len(host) > _LONGEST_HOST:
            raise InvalidPath(f"Invalid path: {', '.join(f'{{{name}}}' for name in sorted(self.labels))} is too long.")
        origin = Origin(self._tls, host, self._port, self._trusted)
        return origin, host_header(origin), fill(self._path, parts)


def names(text: str) -> frozenset[str]:
    """The names of a text's parts."""
    return frozenset(match[1] for match in PART.finditer(text))


def fill(text: bytes, parts: Parts) -> bytes:
    """A text with its parts in their places. Raises InvalidPath for one that is empty."""
    return _PART.sub(lambda match: _part(match[1].decode(), parts), text) if b"{" in text else text


def check_label(name: str, value: bytes) -> None:
    """Raises InvalidPath for what is not one DNS label in lower case."""
    if not _LABEL.fullmatch(value):
        shown = value[:64].decode("latin-1")
        raise InvalidPath(
            f"Invalid path: {{{name}}} becomes part of a host name, so it must be lower-case letters, digits and inner"
            f" hyphens, at most 63: not {shown!r}."
        )


def expression(path: str, *, leading: bool = False) -> re.Pattern[bytes]:
    """What matches a path, each part by its name; with ``leading`` any path that begins with it, the rest as ``rest``.

    Paths begin with their slash. A colon may be written as ``%3A``.
    """
    pattern, end = "", 0
    for match in PART.finditer(path):
        one = r"[^/]*" if leading else r"[^/]+?"
        pattern += _literal(path[end : match.start()])
        pattern += rf"(?P<{match[1]}>{'.+' if match[2] else one})"
        end = match.end()
    pattern += _literal(path[end:])
    pattern = f"/{pattern}" if path else ""
    return re.compile((pattern + (r"(?P<rest>(?:/.*)?)" if leading else "")).encode(), re.DOTALL)


def _part(name: str, parts: Parts) -> bytes:
    if not parts[name]:
        raise InvalidPath(f"Invalid path: {{{name}}} is empty.")
    return parts[name]


def host_header(origin: Origin) -> bytes:
    """The Host header of requests to an origin."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    standard = _PORTS["https" if origin.tls else "http"]
    return host.encode() if origin.port == standard else f"{host}:{origin.port}".encode()


def _literal(text: str) -> str:
    return re.escape(text).replace(":", "(?::|%3[Aa])")


def _check_domain(host: str, field: str) -> None:
    labels = host.rstrip(".").split(".")
    if len(labels) < 2 or PART.search(labels[-1]) or labels[-1][0].isdigit():  # noqa: PLR2004  else the caller chooses it
        raise ValueError(f"{field}: the host must end in a domain of its own, with the parts before it: {host!r}")
    if any(len(PART.findall(label)) > 1 for label in labels):
        raise ValueError(f"{field}: one part at most for each label of the host: {host!r}")


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
    if not safe(parts.path.encode()) or "{" in parts.path or "}" in parts.path:
        raise ValueError(f"{field}: the path may hold no dot segments, nor braces but around names: {url!r}")
    origin = Origin(parts.scheme == "https", host, port or _PORTS[parts.scheme])
    return origin, parts.path.rstrip("/").encode()


def _valid_host(host: str, *, bracketed: bool) -> bool:
    if not bracketed:
        return _HOST.fullmatch(host) is not None
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False
