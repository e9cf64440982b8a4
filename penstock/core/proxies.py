"""Through which proxy a call leaves: ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``, as curl reads them."""

import ipaddress
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from penstock.core.addresses import is_here, literal

_PORTS = {"http": 80, "https": 443}


class Proxy(NamedTuple):
    """``credentials``: a whole header line, or nothing. It is a secret, and so is not for messages."""

    tls: bool
    host: str
    port: int
    credentials: bytes = b""

    @property
    def name(self) -> str:
        return authority(self.host, self.port)


class Proxies:
    """``https`` and ``http``: for origins with TLS and without. ``none``: the text of ``NO_PROXY``."""

    __slots__ = ("_direct", "_http", "_https")

    def __init__(self, https: Proxy | None = None, http: Proxy | None = None, none: str = "") -> None:
        self._https = https
        self._http = http
        self._direct = [_exception(word) for word in re.split(r"[\s,]+", none) if word]

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Proxies":
        """From environment variables; of two spellings the one in lower case counts.

        Raises ValueError that names the variable, without its value: that may hold a password.
        """
        return cls(
            _proxy(environ, "HTTPS_PROXY"),
            _proxy(environ, "HTTP_PROXY"),
            environ.get("no_proxy", environ.get("NO_PROXY", "")),
        )

    def of(self, host: str, port: int, *, tls: bool) -> Proxy | None:
        """The proxy on the way to an origin. This very machine is never beyond a proxy."""
        proxy = self._https if tls else self._http
        if proxy is None or is_here(host):
            return None
        address = literal(host)
        name = host.lower().rstrip(".") if address is None else str(address)
        return None if any(fits(name, port) for fits in self._direct) else proxy


def authority(host: str, port: int) -> str:
    """Host and port, as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _proxy(environ: Mapping[str, str], name: str) -> Proxy | None:
    text = environ.get(name.lower(), environ.get(name, "")).strip()
    if not text:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{name} is no address") from None
    if parts.scheme not in _PORTS or not host or parts.path.strip("/") or port == 0:
        raise ValueError(f"{name} must be http://host:port or https://host:port, with user:password@ where need be")
    credentials = b""
    if parts.username is not None:
        user, password = unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")
        credentials = b"proxy-authorization: Basic %b\r\n" % b64encode(user + b":" + password)
    return Proxy(parts.scheme == "https", host, port or _PORTS[parts.scheme], credentials)


Bypass = Callable[[str, int], bool]  # of a host in lower case and a port: whether it is called directly


def _exception(word: str) -> Bypass:
    """One word of ``NO_PROXY``: ``*``, a network, or a host with all below it; the latter perhaps with a port."""
    if word == "*":
        return lambda _host, _port: True
    try:
        network = ipaddress.ip_network(word.strip("[]"), strict=False)
    except ValueError:
        return _named(word.lower())
    return lambda host, _port: (address := literal(host)) is not None and address in network


def _named(word: str) -> Bypass:
    found = re.fullmatch(r"\[?(?P<host>.*?)\]?(:(?P<port>\d+))?", word)
    assert found is not None
    only = int(found["port"]) if found["port"] else None
    suffix = found["host"].removeprefix("*").strip(".")
    address = literal(suffix)
    name = suffix if address is None else str(address)
    return lambda host, port: (
        bool(name) and only in {None, port} and (host == name or (address is None and host.endswith(f".{name}")))
    )
