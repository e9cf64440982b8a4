"""Where a provider's calls go: its row, compiled with the operator's base URL, if there is one. Pure."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

from penstock.core.errors import InvalidPath, InvalidProvider
from penstock.core.headers import Headers
from penstock.model.endpoint import OPAQUE, Endpoint
from penstock.model.plan import Origin, Target
from penstock.providers.accounting import Accounting
from penstock.providers.catalog import Provider, Route
from penstock.providers.dialects import DIALECTS
from penstock.providers.markup import NO_MARKUPS, Markups
from penstock.providers.pricing import Vector
from penstock.providers.templates import BaseUrl, Parts, check_label, expression, fill, host_header, names, safe
from penstock.wire.headers import like_ours

_NAME_LIMIT = 256  # characters of a model's name
_LABEL = rb"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOLDS_OURS = "holds what looks like a token of this gateway; send that in cf-aig-authorization alone."
_NO_PARTS: Mapping[str, bytes] = {}


class Upstream:
    """One provider's places. Paths are raw: percent-encoding is not touched.

    ``base_url``, the operator's, replaces scheme, host, port and base path of all of the row's addresses; the row's
    own base path is still understood, and dropped, where a request repeats it. Parts that it names are filled from the
    request's path, others are dropped with what the row takes off. Raises ValueError for one that cannot be used.
    """

    __slots__ = (
        *("_endpoints", "_named", "_patterns", "_prefixes", "_accounting", "_stays", "_ways"),
        *("added", "base_url", "credential_headers", "mark", "markups", "moved", "provider", "vector"),
    )

    def __init__(self, provider: Provider, base_url: str | None = None, markups: Markups = NO_MARKUPS) -> None:
        self.provider = provider
        self.markups = markups  # of calls on the operator's key
        self.credential_headers = tuple(name.encode() for name in provider.credential_headers)
        self.moved = base_url is not None
        self.base_url = provider.base_url if base_url is None else base_url  # perhaps with parts; empty: there is none
        # Of an account's own: headers that go with its calls, what stands for it in a cache key, and its prices.
        self.added: tuple[tuple[bytes, bytes], ...] = ()
        self.mark = b""
        self.vector: Vector | None = None
        own = f"{provider.id}.toml"
        row = BaseUrl(provider.base_url, f"{own}: base_url") if provider.base_url else None
        moved = _moved(provider, base_url) if base_url is not None else None
        self._ways = [_Way(provider, route, row, moved, own) for route in provider.routes]
        self._prefixes = list(base_paths(provider.base_url))
        self._endpoints = {b"/" + one.path.encode(): one for one in provider.endpoints if "{" not in one.path}
        self._patterns = [(expression(one.path), one) for one in provider.endpoints if "{" in one.path]
        self._named = _named(provider.target_domains)
        self._stays = frozenset({provider.target_header.encode()} if provider.target_header else ())
        dialects = {one.dialect for one in provider.endpoints if one.dialect}
        self._accounting = {name: Accounting(DIALECTS[name].figures, provider.usage) for name in dialects}

    def accounting(self, dialect: str) -> Accounting:
        """How the provider's usage objects in this dialect are read."""
        return self._accounting[dialect]

    @property
    def by_header(self) -> bool:
        """Whether a header may name the target, so that the same path need not lead to the same place."""
        return bool(self._stays)

    @property
    def origins(self) -> list[Origin]:
        """Where calls lead whatever their paths say; a host with parts is not among them."""
        if self.provider.unconfigured and not self.moved:
            return []
        return list(dict.fromkeys(way.base.origin for way in self._ways if way.base and way.base.origin))

    def target(self, path: bytes, headers: Headers = []) -> Target:  # noqa: B006  it is only read
        """Where a path below the provider leads. Raises InvalidPath, and InvalidProvider for a row that waits to be
        configured.
        """
        if self.provider.unconfigured and not self.moved:
            raise InvalidProvider(self.provider.unconfigured)
        if self._stays and (url := _only(self._stays, headers)) is not None:
            return self._elsewhere(url)
        tail = b"/" + path if path else b""
        for prefix in self._prefixes:
            if tail.startswith(prefix) and tail[len(prefix) : len(prefix) + 1] in (b"", b"/"):
                tail = tail[len(prefix) :]
                break
        for way in self._ways:
            if (match := way.begins.fullmatch(tail)) is not None:
                return self._along(way, match.groupdict())
        shown = ", ".join(f"{way.route.path}/…" for way in self._ways)
        raise InvalidPath(f"Invalid path: after {self.provider.id}/ comes one of {shown}")

    def _along(self, way: "_Way", parts: dict[str, bytes]) -> Target:
        rest = parts.pop("rest")
        if rest in (b"", b"/") and way.rest:
            rest = way.rest
        for name in way.labels:
            check_label(name, parts[name])
        assert way.base is not None
        origin, host, base = way.base.filled(parts)
        below = fill(way.to, parts) + rest
        travels = below if way.moved_to is way.to else fill(way.moved_to, parts) + rest
        target = self._made(origin, host, base + travels, below, parts)
        target.service, target.region = way.route.service, parts.get("region", b"").decode("latin-1")
        return target

    def _elsewhere(self, url: bytes) -> Target:
        """The target that a header names; below the operator's base URL, if there is one."""
        match = self._named.fullmatch(url)
        if match is None or not safe(match[2]):
            domains = ", ".join(self.provider.target_domains)
            raise InvalidPath(
                f"Invalid path: {self.provider.target_header} must be an https URL of {domains} or below, in lower"
                " case, without port, user, fragment or dot segments."
            )
        if like_ours(url):
            raise InvalidPath(f"Invalid path: {self.provider.target_header} {HOLDS_OURS}")
        way = self._ways[-1]
        assert way.base is not None
        if self.moved:
            origin, host, base = way.base.filled(_NO_PARTS)
        else:
            origin, base = Origin(True, match[1].decode(), 443), b""  # noqa: FBT003  tls
            host = host_header(origin)
        path = match[2] or b"/"
        target = self._made(origin, host, base + path, path, {})
        target.query = match[3]
        target.stays = self._stays
        return target

    def _made(self, origin: Origin, host: bytes, path: bytes, below: bytes, parts: dict[str, bytes]) -> Target:
        endpoint, more = self._endpoint(below)
        target = Target(self, origin, host, path or b"/", endpoint)
        model = more.get(self.provider.model) or parts.get(self.provider.model)
        if model:
            target.model = unquote_to_bytes(model).decode("utf-8", "replace")[:_NAME_LIMIT]
        return target

    def _endpoint(self, below: bytes) -> tuple[Endpoint, Parts]:
        """What the row knows of the operation at this path; ``OPAQUE`` if nothing."""
        known = self._endpoints.get(below)
        if known is not None:
            return known, _NO_PARTS
        for pattern, endpoint in self._patterns:
            if (match := pattern.fullmatch(below)) is not None:
                return endpoint, match.groupdict()
        return OPAQUE, _NO_PARTS


class _Way:
    """A route, compiled."""

    __slots__ = ("base", "begins", "labels", "moved_to", "rest", "route", "to")

    def __init__(self, provider: Provider, route: Route, row: BaseUrl | None, moved: BaseUrl | None, file: str) -> None:
        own = BaseUrl(route.base_url, f"{file}: routes.base_url") if route.base_url else row
        has = names(route.path or "")
        if own is not None and (lacks := own.parts - has) and not provider.unconfigured:
            raise ValueError(f"{file}: routes: {route.path!r} has no part {{{min(lacks)}}} for the base URL")
        self.route = route
        self.begins = expression(route.path or "", leading=True)
        self.base = moved or own
        self.labels = sorted(own.labels & has) if own is not None else []
        self.to = _below(route.to)
        self.moved_to = self.to if moved is None or route.moved_to is None else _below(route.moved_to)
        self.rest = _below(route.rest)


def _moved(provider: Provider, base_url: str) -> BaseUrl:
    field = f"providers.{provider.id}.base_url"
    moved = BaseUrl(base_url, field, trusted=True)
    known = frozenset[str]().union(*(names(route.path or "") for route in provider.routes))
    if unknown := moved.parts - known:
        has = ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
        raise ValueError(f"{field}: paths of this provider have no part {{{min(unknown)}}}; they have {has}")
    return moved


def _below(path: str) -> bytes:
    return b"/" + path.encode() if path else b""


def base_paths(base_url: str) -> Iterator[bytes]:
    """The base path, and what it ends in, longest first, as far as that is the same for all requests."""
    _, _, path = base_url.partition("://")
    segments = path.rstrip("/").split("/")[1:]
    for begin in range(len(segments)):
        if not names("/".join(segments[begin:])):
            yield "".join(f"/{segment}" for segment in segments[begin:]).encode()


def _named(domains: list[str]) -> re.Pattern[bytes]:
    """URLs in these domains: host, path and query."""
    domain = b"|".join(re.escape(one.encode()) for one in domains)
    path, query = rb"(?:/[^\x00-\x20\x7f-\xff#\\?]*)?", rb"(?:\?[^\x00-\x20\x7f-\xff#\\]*)?"
    return re.compile(rb"https://((?:%b\.){0,8}(?:%b))(%b)(%b)" % (_LABEL, domain, path, query))


def _only(names: frozenset[bytes], headers: Headers) -> bytes | None:
    """The value of that header. Raises InvalidPath where there are several."""
    values = [value for lower, _, value in headers if lower in names]
    if len(values) > 1:
        raise InvalidPath(f"Invalid path: {min(names).decode()} was sent more than once.")
    return values[0] if values else None


def credential_header(provider: Provider, secret: str) -> str:
    """The header, lower-case, in which the provider expects a key."""
    forms = provider.credential_forms.items()
    return next((name for name, form in forms if re.match(form, secret)), provider.credential_headers[0])
