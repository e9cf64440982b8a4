"""Who is calling, from the headers alone.

Recognises the gateway's own tokens wherever a client may have put them, by their SHA-256: how long a look-up takes
tells nothing of a token. Writes ``caller``. Where authentication is on, ends the call of whoever has no token that
opens the gateway (401/2009, or 400/2001 where a token came that may not even know of it); where it is off, everybody
may come in.

What is ours never travels to a provider, nor what looks like ours, nor the words that SDKs put in the place of a key
they do not have: ``Caller.places`` and ``Caller.query`` say what to leave out. What looks like ours in any other header
is left out by ``wire.headers``.
"""

import binascii
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NoReturn
from urllib.parse import unquote_to_bytes

import msgspec

from penstock.core import instants
from penstock.core.errors import Unauthorized, UnknownGateway
from penstock.core.secrets import digest
from penstock.core.telemetry import Telemetry
from penstock.model.exchange import Exchange
from penstock.model.options import UNADDRESSED
from penstock.model.request import Request
from penstock.model.token import Scope, Token
from penstock.wire.headers import like_ours

DEFAULT = "default"  # the gateway that its account's first call makes: at its address, whether it exists is not told
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
_NO_TOKEN = frozenset({b"bearer", b"undefined"})  # in the place of ours: none; an SDK without a token sends that
_SHORTEST = 20  # characters of a token (core.settings: TOKEN)
_MARKS = b",;:=\"'<>"  # in a credential: it has parts, and so may hold a token
_SCHEMES = frozenset({b"Bearer", b"Key", b"Token", b"bearer"})  # the usual ones, before a credential without parts
_ENCLOSING = b",;\"'<>"
_AROUND = re.compile(rb"[\s,;\"'<>]+")  # what parts are separated by, or enclosed in
_WITHIN = (b":", b"=", b".")  # between a name or scheme and its value
_SMALLEST = re.compile(rb"[:=]+")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_FOREIGN = frozenset({"account", "gateway"})  # faults of a token whose holder may not know whether there is a gateway
_NOWHERE: frozenset[bytes] = frozenset()

MISSING = "Unauthorized: no gateway token came; send it in cf-aig-authorization."
_SAID = {
    "missing": MISSING,
    "malformed": "Unauthorized: write the gateway token as: cf-aig-authorization: Bearer <token>",
    "expired": "Unauthorized: the gateway token has expired.",
}
_OTHERWISE = "Unauthorized: the token does not open this gateway."  # and no word about why


class Keyring:
    """All tokens of the installation by their SHA-256, swapped whole. Refused credentials are counted."""

    __slots__ = ("_count", "tokens")

    def __init__(self, telemetry: Telemetry, tokens: Mapping[bytes, Token] | None = None) -> None:
        self.tokens: Mapping[bytes, Token] = tokens or {}
        self._count = telemetry.refused

    def find(self, digest: bytes) -> Token | None:
        """The token, expired or not."""
        return self.tokens.get(digest)

    def refused(self, plane: str, reason: str = "unknown") -> None:
        """Counts a caller of a plane (data, control) whose credentials opened nothing."""
        self._count.add((plane, reason))


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and what of the request must stay here."""

    token: str = ""  # id of the token that lets the call in; empty: none came, and anybody may
    bearer: Token | None = None  # the token itself
    places: frozenset[bytes] = _NOWHERE  # headers that do not travel
    query: bytes | None = None  # what travels of the query, with its question mark; None: all of it
    fault: str = "missing"  # why no token lets it in; empty where one does


NOBODY = Caller()


class OpenAuth:
    """Authentication is off: a token that is no good is as none. ``places``: see ``PLACES``."""

    def __init__(self, keyring: Keyring, places: frozenset[bytes] = PLACES) -> None:
        self._keyring = keyring
        self._places = places | {PROTOCOLS}

    def identify(self, ex: Exchange) -> Caller:
        """The caller; never refuses."""
        return self._look(ex.request)

    def _look(self, request: Request) -> Caller:
        bearer: Token | None = None
        fault, stay, query = "missing", _NOWHERE, None
        places, tokens = self._places, self._keyring.tokens
        for lower, _, value in request.headers:
            if lower not in places:
                continue
            words = value.split()
            token = tokens.get(sha256(words[-1] if words else b"").digest())
            if token is None:
                why = _stranger(words) if lower == OWN else ""
            else:
                why = _form(words, lower) or _fault(token, request)
                if not why and (bearer is None or lower == OWN):
                    bearer = token
            if why and fault == "missing":
                fault = why
            if lower != OWN and (token is not None or self._stays(lower, words, value)):
                stay |= {lower}
        if len(request.query) > 1:
            token, query = self._parameters(request.query)
            if token is not None and bearer is None:
                fault = _fault(token, request)
                bearer = None if fault else token
        if bearer is not None:
            return Caller(bearer.id, bearer, stay, query, "")
        return NOBODY if not stay and query is None and fault == "missing" else Caller("", None, stay, query, fault)

    def _stays(self, place: bytes, words: list[bytes], value: bytes) -> bool:
        """Whether what stands in the place of a provider's credential is none, or holds something like ours."""
        if not words or (len(words[-1]) < _SHORTEST and words[-1].lower() in _NONE) or like_ours(value):
            return True
        if place == PROTOCOLS:
            return b"cf-aig-" in value.lower() or self._holds(value)
        if len(value.translate(None, _MARKS)) < len(value) or len(words) > 2:  # noqa: PLR2004
            return self._holds(value)
        return len(words) > 1 and words[0] not in _SCHEMES and self._holds(value)

    def _holds(self, value: bytes) -> bool:
        """Slow. Whether a part of a value is ours; of a Basic credential, also a part of what it encodes."""
        parts = _parts(value)
        if self._any(parts):
            return True
        if b"basic" not in value.lower():
            return False
        return any(like_ours(plain) or self._any(_parts(plain)) for plain in map(_decoded, parts))

    def _any(self, parts: Iterable[bytes]) -> bool:
        tokens = self._keyring.tokens
        return any(sha256(part).digest() in tokens for part in parts)

    def _parameters(self, query: bytes) -> tuple[Token | None, bytes | None]:
        """A token of ours in the query, and what may travel of the query; None: all of it."""
        found: Token | None = None
        kept: list[bytes] = []
        parameters = query[1:].split(b"&")
        for parameter in parameters:
            token, left = self._parameter(parameter)
            if token is None and left is not None and b";" in parameter:  # some servers separate by that
                token, left = self._several(parameter.split(b";"))
            found = found or token
            if left is not None:
                kept.append(left)
        if kept == parameters:
            return found, None
        return found, b"?" + b"&".join(kept) if kept else b""

    def _several(self, parameters: list[bytes]) -> tuple[Token | None, bytes | None]:
        told = [self._parameter(parameter) for parameter in parameters]
        kept = [left for _, left in told if left is not None]
        return next((token for token, _ in told if token is not None), None), b";".join(kept) if kept else None

    def _parameter(self, parameter: bytes) -> tuple[Token | None, bytes | None]:
        """The token that a parameter is, and what of it travels: all, or (None) nothing."""
        name, _, value = parameter.partition(b"=")
        name, literal = _unquoted(name).lower(), _unquoted(value)
        if name not in _CREDENTIALS and len(literal) < _SHORTEST and b"pst_" not in literal + name:
            return None, parameter
        secret = _unquoted(value.replace(b"+", b" ")).strip()
        token = self._keyring.find(digest(secret))
        if token is None and b"+" in value:
            token = self._keyring.find(digest(literal))
        if token is not None:
            return (token if name in PARAMETERS else None), None
        if name in PARAMETERS and secret.lower() in PLACEHOLDERS:
            return None, None
        if b";" in parameter:  # looked into one by one
            return None, parameter
        ours = like_ours(name) or like_ours(secret)
        if not ours and name in _CREDENTIALS and len(secret) >= _SHORTEST:
            several = len(secret.split()) > 1 or len(secret.translate(None, _MARKS)) < len(secret)
            ours = (several and self._holds(secret)) or (literal != secret and self._holds(literal))
        return None, None if ours else parameter


class Auth(OpenAuth):
    """Authentication is on."""

    def identify(self, ex: Exchange) -> Caller:
        """The caller. Raises Unauthorized where no token came that opens the gateway, and UnknownGateway, as if there
        were none, where one of another account or for other gateways came.
        """
        caller = self._look(ex.request)
        if caller.fault:
            self._refuse(ex, caller.fault)
        return caller

    def _refuse(self, ex: Exchange, fault: str) -> NoReturn:
        """To who may not know of a gateway all is as where none is: the answer, its headers, and whose the row is."""
        self._keyring.refused("data", fault)
        default = ex.request.gateway == DEFAULT
        if fault in _FOREIGN or (default and not ex.options.log):
            ex.gateway, ex.snapshot, ex.options = None, 0, UNADDRESSED
        if fault in _FOREIGN and not default:
            raise UnknownGateway
        raise Unauthorized(_SAID.get(fault, _OTHERWISE))


def _fault(token: Token, request: Request) -> str:
    """Why a token does not open the gateway that is called; empty: it does.

    That it has expired is told, so that comes first: it must not depend on whose the gateway is.
    """
    if token.expires_at is not None and token.expired(instants.now()):
        return "expired"
    if token.account != request.account:
        return "account"
    if not token.opens(request.gateway):
        return "gateway"
    return "" if Scope.RUN in token.scopes else "scope"


def _parts(value: bytes) -> set[bytes]:
    """What may be a token in a value that has parts. A token may hold any mark itself, and end with one, so parts are
    taken as they are and bared of what encloses them, without the name before their value, without the value, and in
    the smallest pieces.
    """
    found: set[bytes] = set()
    for part in {*value.split(), *_AROUND.split(value)}:
        if len(part) >= _SHORTEST:
            found |= {part, *_SMALLEST.split(part)}
            for mark in _WITHIN:
                found.update(part.partition(mark))
    found.update([part.strip(_ENCLOSING) for part in found])
    return {part for part in found if len(part) >= _SHORTEST}


def _decoded(part: bytes) -> bytes:
    """What a Base64 text says, in either alphabet, padded or not; empty where it is none."""
    try:
        return binascii.a2b_base64(part.translate(_URL_SAFE).rstrip(b"=") + b"==")
    except binascii.Error:
        return b""


def _unquoted(value: bytes) -> bytes:
    return unquote_to_bytes(value) if b"%" in value else value


def _form(words: list[bytes], place: bytes) -> str:
    """What is wrong with the way a credential is written: ``Bearer <token>`` or the token alone; other schemes are
    for the providers' headers. Empty: nothing.
    """
    if place == PROTOCOLS:
        return "malformed"
    if len(words) == 1 or (
        len(words) == 2  # noqa: PLR2004
        and (words[0].lower() == b"bearer" or (place != OWN and not words[0].endswith(b":")))
    ):
        return ""
    return "malformed"


def _stranger(words: list[bytes]) -> str:
    """What is wrong with a token of ours that nobody knows; empty: it is none."""
    said = words[1:] if len(words) == 2 and words[0].lower() == b"bearer" else words  # noqa: PLR2004
    if not words or (len(said) == 1 and said[0].lower() in _NO_TOKEN):
        return ""
    return _form(words, OWN) or "unknown"
