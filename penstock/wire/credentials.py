"""Where clients put credentials, and what of it must not travel: tokens of ours in any spelling, and placeholders.

``known`` says of a secret whose it is: something for a token of ours, None for any other. Looking it up is cheap,
taking a value apart is not, so that is done only to values that could have parts.
"""

import binascii
import re
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from penstock.core.errors import MalformedRequest
from penstock.wire.headers import PERCENT, like_ours

_T = TypeVar("_T")

MOST = 1000  # parameters of a query: each costs microseconds
Known = Callable[[bytes], _T | None]

OWN = b"cf-aig-authorization"  # never travels, whatever it holds
PLACES = frozenset(  # where clients put a provider's credential, and so ours; the catalogue adds to them
    {
        OWN,
        b"api-key",
        b"authorization",
        b"token",
        b"x-api-key",
        b"x-auth-key",
        b"x-auth-user-service-key",
        b"x-goog-api-key",
        b"xi-api-key",
    }
)
PROTOCOLS = b"sec-websocket-protocol"  # browsers put credentials here; a token of ours stays, and opens nothing
PARAMETERS = frozenset({b"api_key", b"key"})  # the same in a query,
_CREDENTIALS = PARAMETERS | {b"access_token", b"api-key", b"apikey", b"token"}  # and where it opens nothing
PLACEHOLDERS = frozenset({b"", b"cf_temp_token", b"unused"})  # in the place of a provider's credential: none

# where a query has none of these there is nothing to look for: names of credentials, and what is as long as a token
_SUSPECT = re.compile(
    rb"[^&=]{20}|=[^&]{20}|%|(?:^.|[&;])(?:api_key|key|access_token|api-key|apikey|token)(?:[=&;]|$)", re.IGNORECASE
)
_NONE = PLACEHOLDERS | {b"bearer"}  # the last word of an empty bearer
_SHORTEST = 20  # characters of a token (core.settings: TOKEN)
_MARKS = b",;:=\"'<>()[]{}|"  # in a credential: it has parts, and so may hold a token
_QUERY_MARKS = _MARKS + b" \t\n\r\f\v/?&#"  # in a parameter of a query, which may be a URL
_SCHEMES = frozenset({b"Bearer", b"Key", b"Token", b"bearer"})  # the usual ones, before a credential without parts
_ENCLOSING = b",;\"'<>()[]{}|"
_AROUND = re.compile(rb"[\s,;\"'<>()\[\]{}|]+")  # what parts are separated by, or enclosed in
_SCOPE = re.compile(rb"/\d+(?:/[\w-]+){0,2}/aws4_request")  # what follows a key in a SigV4 signature
_OF_URLS = re.compile(rb"[\s?&#]+")
_WITHIN = (b":", b"=", b".")  # between a name or scheme and its value
_SMALLEST = re.compile(rb"[:=/?&#]+")
_SEGMENT = re.compile(rb"[^/]{%d,}" % _SHORTEST)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def stays(place: bytes, value: bytes, known: Known[object]) -> bool:
    """Whether what stands in the place of a provider's credential is none, or holds something like ours.

    Its last word is known to be no token.
    """
    words = value.split()
    if not words or (len(words[-1]) < _SHORTEST and words[-1].lower() in _NONE) or like_ours(value):
        return True
    if place == PROTOCOLS:
        return b"cf-aig-" in value.lower() or _holds(value, known)
    if len(value.translate(None, _MARKS)) < len(value) or len(words) > 2:  # noqa: PLR2004
        return _holds(value, known)
    return len(words) > 1 and words[0] not in _SCHEMES and _holds(value, known)


def offered(query: bytes, known: Known[_T]) -> _T | None:
    """Whose token stands in a parameter of a query that may open something. ``query`` begins with its question mark.
    Raises MalformedRequest for more parameters than any call has.
    """
    if query.count(b"&") + query.count(b";") >= MOST:
        raise MalformedRequest(f"Malformed request: its query has more than {MOST} parameters.")
    if PERCENT not in query and b"key=" not in query.lower():
        return None
    for parameter in query[1:].split(b"&"):
        for part in {parameter: 0, **dict.fromkeys(parameter.split(b";"))}:  # some servers separate by that
            given, _, value = part.partition(b"=")
            if _unquoted(given).lower() in PARAMETERS and (token := _whose(value, known)) is not None:
                return token
    return None


def travels(query: bytes, known: Known[object]) -> bytes | None:
    """What may travel of a query; None: all of it. It begins with its question mark, unless nothing is left."""
    if _SUSPECT.search(query) is None and not like_ours(query):
        return None
    given = query[1:].split(b"&")
    kept = [left for parameter in given if (left := _left(parameter, known)) is not None]
    if kept == given:
        return None
    return b"?" + b"&".join(kept) if kept else b""


def _left(parameter: bytes, known: Known[object]) -> bytes | None:
    """What travels of a parameter, or of several that are separated by semicolons; None: nothing."""
    if not _stays(parameter, known) and b";" in parameter:
        kept = [part for part in parameter.split(b";") if not _stays(part, known)]
        return b";".join(kept) if kept else None
    return None if _stays(parameter, known) else parameter


def _whose(value: bytes, known: Known[_T]) -> _T | None:
    token = known(_unquoted(value.replace(b"+", b" ")).strip())
    return known(_unquoted(value)) if token is None and b"+" in value else token


def _stays(parameter: bytes, known: Known[object]) -> bool:
    """Whether a parameter is, or holds, a token of ours, or a placeholder of one."""
    given, _, value = parameter.partition(b"=")
    literal = value
    if PERCENT in parameter:
        given, literal = unquote_to_bytes(given), unquote_to_bytes(value)
    name = given.lower()
    if name not in _CREDENTIALS and len(literal) < _SHORTEST and len(given) < _SHORTEST and not like_ours(parameter):
        return False
    secret = _unquoted(value.replace(b"+", b" ")).strip()
    if _whose(value, known) is not None or (name in PARAMETERS and secret.lower() in PLACEHOLDERS):
        return True
    if b";" in parameter:  # looked into one by one
        return False
    ours = like_ours(given) or like_ours(secret) or _hides(secret, known)
    if not ours and b"+" in value:  # a token may hold that sign, also behind one that is a space
        ours = _hides(literal, known) or _hides(literal.replace(b"+", b" ", 1), known)
    if not ours and len(given) >= _SHORTEST:
        ours = known(given) is not None or _hides(given, known)
    if not ours and not value.strip(b"=") and parameter.endswith(b"="):  # no name and value, but a token that ends so
        ours = len(parameter) >= _SHORTEST and known(_unquoted(parameter)) is not None
    return ours


def along(path: bytes, known: Known[object]) -> bool:
    """Whether a segment of a path is, or holds, a token of ours."""
    segments = map(_unquoted, _SEGMENT.findall(path))
    return any(known(segment) is not None or _hides(segment, known) for segment in segments)


def _hides(value: bytes, known: Known[object]) -> bool:
    """Whether one of several parts of a value is ours."""
    if len(value) < _SHORTEST:
        return False
    return len(value.translate(None, _QUERY_MARKS)) < len(value) and _holds(value, known)


def _holds(value: bytes, known: Known[object]) -> bool:
    """Slow. Whether a part of a value is ours; of a Basic credential, also a part of what it encodes."""
    parts = _parts(value)
    if _any(parts, known):
        return True
    if b"basic" not in value.lower():
        return False
    return any(like_ours(plain) or _any(_parts(plain), known) for plain in map(_decoded, parts))


def _any(parts: Iterable[bytes], known: Known[object]) -> bool:
    return any(known(part) is not None for part in parts)


def _parts(value: bytes) -> set[bytes]:
    """What may be a token in a value that has parts. A token may hold any mark itself, and end with one, so parts are
    taken as they are and bared of what encloses them, without the name before their value, without the value, and in
    the smallest pieces.
    """
    found: set[bytes] = set()
    if b"/aws4_request" in value:
        value = _SCOPE.sub(b" ", value)
    parts = {*value.split(), *_AROUND.split(value)}
    if b"?" in value or b"&" in value:
        parts.update(_OF_URLS.split(value))
    for part in parts:
        if len(part) >= _SHORTEST:
            found.add(part)
            found.update(_SMALLEST.split(part))
            for mark in _WITHIN:
                found.update(part.partition(mark))
    long = {part for part in found if len(part) >= _SHORTEST}
    return long | {bare for part in long if len(bare := part.strip(_ENCLOSING)) >= _SHORTEST}


def _decoded(part: bytes) -> bytes:
    """What a Base64 text says, in either alphabet, padded or not; empty where it is none."""
    try:
        return binascii.a2b_base64(part.translate(_URL_SAFE).rstrip(b"=") + b"==")
    except binascii.Error:
        return b""


def _unquoted(value: bytes) -> bytes:
    return unquote_to_bytes(value) if PERCENT in value else value
