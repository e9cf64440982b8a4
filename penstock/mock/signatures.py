"""AWS Signature Version 4, verified from its specification alone."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from penstock.mock.answer import Fault
from penstock.mock.controls import Pairs

ALGORITHM = "AWS4-HMAC-SHA256"
_LEEWAY = timedelta(minutes=5)
_UNRESERVED = "-_.~"
_END = "aws4_request"


class AccessKey(NamedTuple):
    """A key that signs. ``token``: of the session; empty: it has none."""

    secret: str
    token: str = ""


class Signed(NamedTuple):
    """A request as it came. ``payload``: the SHA-256 of its body in hexadecimal."""

    method: str
    target: bytes
    headers: Pairs
    payload: str


def fault(signed: Signed, keys: Mapping[str, AccessKey], services: frozenset[str], now: datetime) -> Fault | None:
    """What is wrong with the signature; None: nothing. Any region may be signed for."""
    headers = _values(signed.headers)
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    parts = {name: value for name, _, value in (part.strip().partition("=") for part in rest.split(","))}
    name, _, scope = parts.get("Credential", "").partition("/")
    key = keys.get(name)
    if key is None or headers.get("x-amz-security-token", "") != key.token:
        return Fault.WRONG
    date, _, place = scope.partition("/")
    _, _, service_end = place.partition("/")
    at = headers.get("x-amz-date", "")
    names = parts.get("SignedHeaders", "").split(";")
    must = {"host", "x-amz-date", *(["x-amz-security-token"] if key.token else [])}
    known = service_end in {f"{service}/{_END}" for service in services}
    if scheme != ALGORITHM or not known or not at.startswith(date) or not must <= set(names) <= headers.keys():
        return Fault.SIGNATURE
    try:
        then = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return Fault.SIGNATURE
    if abs(now - then) > _LEEWAY:
        return Fault.EXPIRED
    canonical = _canonical(signed, headers, names)
    text = "\n".join([ALGORITHM, at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    right = hmac.new(_signing_key(key.secret, scope), text.encode(), hashlib.sha256).hexdigest()
    return None if hmac.compare_digest(right, parts.get("Signature", "")) else Fault.SIGNATURE


def _values(headers: Pairs) -> dict[str, str]:
    """By lower-case name, white space collapsed, several of one name joined."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), []).append(" ".join(value.decode("latin-1").split()))
    return {name: ",".join(values) for name, values in found.items()}


def _canonical(signed: Signed, headers: Mapping[str, str], names: list[str]) -> str:
    path, _, query = signed.target.partition(b"?")
    twice = "/".join(quote(_encoded(unquote_to_bytes(segment)), safe=_UNRESERVED) for segment in path.split(b"/"))
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    pairs = sorted((_encoded(name.encode()), _encoded(value.encode())) for name, value in given)
    asked = "&".join(f"{name}={value}" for name, value in pairs)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    return "\n".join([signed.method, twice, asked, lines, ";".join(names), signed.payload])


def _encoded(text: bytes) -> str:
    return quote(text, safe=_UNRESERVED)


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for word in scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key
