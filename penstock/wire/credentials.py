"""Where clients put credentials, and what of it must not travel: tokens of ours in any spelling, and placeholders.

``known`` says of a secret whose it is: something for a token of ours, None for any other. Looking it up is cheap,
taking a value apart is not, so that is done only to values that could have parts.
"""

import binascii
import re
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from penstock.wire.headers import PERCENT, like_ours

_T = TypeVar("_T")
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


def stays(place: bytes, words: list[bytes], value: bytes, known: Known[object]) -> bool:
    """Whether what stands in the place of a provider's credential is none, or holds something like ours.

    ``words`` are those of ``value``.
    """
    if not words or (len(words[-1]) < _SHORTEST and words[-1].lower() in _NONE) or like_ours(value):
        return True
    if place == PROTOCOLS:
        return b"cf-aig-" in value.lower() or _holds(value, known)
    if len(value.translate(None, _MARKS)) < len(value) or len(words) > 2:  # noqa: PLR2004
        return _holds(value, known)
    return len(words) > 1 and words[0] not in _SCHEMES and _holds(value, known)


def parameters(query: bytes, known: Known[_T]) -> tuple[_T | None, bytes | None]:
    """Whose token stands in a query, where it opens something, and what may travel of the query; None: all of it.

    ``query`` begins with its question mark, and so does what is left of it, unless that is nothing.
    """
    found: _T | None = None
    kept: list[bytes] = []
    given = query[1:].split(b"&")
    for parameter in given:
        token, left = _parameter(parameter, known)
        if token is None and left is not None and b";" in parameter:  # some servers separate by that
            token, left = _several(parameter.split(b";"), known)
        found = found or token
        if left is not None:
            kept.append(left)
    if kept == given:
        return found, None
    return found, b"?" + b"&".join(kept) if kept else b""


def _several(given: list[bytes], known: Known[_T]) -> tuple[_T | None, bytes | None]:
    told = [_parameter(parameter, known) for parameter in given]
    kept = [left for _, left in told if left is not None]
    return next((token for token, _ in told if token is not None), None), b";".join(kept) if kept else None


def _parameter(parameter: bytes, known: Known[_T]) -> tuple[_T | None, bytes | None]:
    """Whose token a parameter is, and what of it travels: all, or (None) nothing."""
    given, _, value = parameter.partition(b"=")
    literal = value
    if PERCENT in parameter:
        given, literal = unquote_to_bytes(given), unquote_to_bytes(value)
    name = given.lower()
    if name not in _CREDENTIALS and len(literal) < _SHORTEST and len(given) < _SHORTEST and not like_ours(parameter):
        return None, parameter
    secret = _unquoted(value.replace(b"+", b" ")).strip()
    token = known(secret)
    if token is None and b"+" in value:
        token = known(literal)
    if token is not None:
        return (token if name in PARAMETERS else None), None
    if name in PARAMETERS and secret.lower() in PLACEHOLDERS:
        return None, None
    if b";" in parameter:  # looked into one by one
        return None, parameter
    ours = like_ours(given) or like_ours(secret) or _hides(secret, known)
    if not ours and b"+" in value:  # a token may hold that sign, also behind one that is a space
        ours = _hides(literal, known) or _hides(literal.replace(b"+", b" ", 1), known)
    if not ours and len(given) >= _SHORTEST:
        ours = known(given) is not None or _hides(given, known)
    if not ours and not value.strip(b"=") and parameter.endswith(b"="):  # no name and value, but a token that ends so
        ours = len(parameter) >= _SHORTEST and known(_unquoted(parameter)) is not None
    return None, None if ours else parameter


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
