"""Who is calling, from the headers alone.

Recognises the gateway's own tokens wherever a client may have put them, by their SHA-256: how long a look-up takes
tells nothing of a token. Writes ``caller``. Where authentication is on, ends the call of whoever has no token that
opens the gateway (401/2009); where it is off, everybody may come in.

What is ours never travels to a provider, nor what looks like ours, nor the words that SDKs put in the place of a key
they do not have: ``Caller.places`` and ``Caller.query`` say what to leave out.
"""

import re
import time
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import unquote_to_bytes

import msgspec

from penstock.core.errors import Unauthorized
from penstock.core.secrets import digest
from penstock.core.telemetry import Telemetry
from penstock.model.exchange import Exchange
from penstock.model.request import Request
from penstock.model.token import Scope, Token

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
PARAMETERS = frozenset({b"api_key", b"key"})  # the same in a query
PLACEHOLDERS = frozenset({b"", b"cf_temp_token", b"unused"})  # in the place of a provider's credential: none

_NONE = PLACEHOLDERS | {b"bearer"}  # the last word of an empty bearer
_NO_TOKEN = frozenset({b"bearer", b"undefined"})  # in the place of ours: none; an SDK without a token sends that
_LIKE_OURS = re.compile(rb"(?:^|[\s,;:=\"'])pst_")
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
        self._places = places

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
            if token is not None:
                why = _form(words, lower) or _fault(token, request)
                if not why and (bearer is None or lower == OWN):
                    bearer = token
            else:
                why = _stranger(words) if lower == OWN else ""
            if why and fault == "missing":
                fault = why
            if lower != OWN and (token is not None or self._none(words, value)):
                stay |= {lower}
        if len(request.query) > 1:
            token, query = self._parameters(request.query)
            if token is not None and bearer is None:
                fault = _fault(token, request)
                bearer = None if fault else token
        if bearer is not None:
            return Caller(bearer.id, bearer, stay, query, "")
        return NOBODY if not stay and query is None and fault == "missing" else Caller("", None, stay, query, fault)

    def _none(self, words: list[bytes], value: bytes) -> bool:
        """Whether what stands in the place of a provider's credential is none, or holds something like ours."""
        if not words or words[-1].lower() in _NONE or (b"pst_" in value and _LIKE_OURS.search(value) is not None):
            return True
        return len(words) > 2 and any(self._keyring.find(digest(word.strip(b",;"))) for word in words)  # noqa: PLR2004

    def _parameters(self, query: bytes) -> tuple[Token | None, bytes | None]:
        """A token of ours in the query, and what may travel of the query; None: all of it."""
        found: Token | None = None
        kept: list[bytes] = []
        parts = query[1:].split(b"&")
        for part in parts:
            name, _, value = part.partition(b"=")
            if unquote_to_bytes(name).lower() in PARAMETERS:
                secret = unquote_to_bytes(value.replace(b"+", b" ")).strip()
                token = self._keyring.find(digest(secret))
                if token is not None or secret.lower() in PLACEHOLDERS or _LIKE_OURS.search(secret):
                    found = found or token
                    continue
            kept.append(part)
        if len(kept) == len(parts):
            return None, None
        return found, b"?" + b"&".join(kept) if kept else b""


class Auth(OpenAuth):
    """Authentication is on."""

    def identify(self, ex: Exchange) -> Caller:
        """The caller. Raises Unauthorized where no token came that opens the gateway."""
        caller = self._look(ex.request)
        if caller.fault:
            self._keyring.refused("data", caller.fault)
            raise Unauthorized(_SAID.get(caller.fault, _OTHERWISE))
        return caller


def _fault(token: Token, request: Request) -> str:
    """Why a token does not open the gateway that is called; empty: it does.

    That it has expired is told, so that comes first: it must not depend on whose the gateway is.
    """
    if token.expires_at is not None and token.expired(time.time_ns() // 1_000_000):
        return "expired"
    if token.account != request.account:
        return "account"
    if Scope.RUN not in token.scopes:
        return "scope"
    if not token.opens(request.gateway):
        return "gateway"
    return ""


def _form(words: list[bytes], place: bytes) -> str:
    """What is wrong with the way a credential is written: ``Bearer <token>`` or the token alone; other schemes are
    for the providers' headers. Empty: nothing.
    """
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
