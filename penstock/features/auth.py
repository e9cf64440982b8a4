"""Who is calling, from the headers alone.

Finds the gateway's own tokens in every place where clients put credentials. Tokens are looked up by their SHA-256, so
the time of a look-up says nothing about a token. In a header, a pass (``core.passes``) stands for its token. Writes
``caller``. With authentication on, a call without a token that opens the gateway is refused (401/2009; 400/2001 where
the token must not learn that the gateway exists). With authentication off, every call is admitted.

Own tokens, values that look like them, and the placeholders that SDKs send without a key are never forwarded:
``Caller.places`` and ``Caller.query`` name them. ``wire.headers`` removes lookalikes from all other headers.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import NoReturn

from penstock.core import instants, passes
from penstock.core.errors import Unauthorized, UnknownGateway
from penstock.core.sealing import Vault
from penstock.core.telemetry import Telemetry
from penstock.model.caller import NOBODY, Caller
from penstock.model.exchange import NO_GATEWAY, Exchange
from penstock.model.options import UNADDRESSED
from penstock.model.request import Request
from penstock.model.token import Token
from penstock.wire.credentials import OWN, PLACES, PROTOCOLS, offered, stays, travels

DEFAULT = "default"  # created by its account's first call; whether it exists yet is not told
_NO_TOKEN = frozenset({b"bearer", b"undefined"})  # placeholders of SDKs without a token
_FOREIGN = frozenset({"account", "gateway"})  # faults of tokens that must not learn whether the gateway exists
_NOWHERE: frozenset[bytes] = frozenset()

MISSING = "Unauthorized: no gateway token came; send it in cf-aig-authorization."
_SAID = {
    "missing": MISSING,
    "malformed": "Unauthorized: write the gateway token as: cf-aig-authorization: Bearer <token>",
    "expired": "Unauthorized: the gateway token has expired.",
}
_SAID_OF_API = _SAID | {"missing": "Unauthorized: no token came; send it as: authorization: Bearer <token>"}
_OTHERWISE = "Unauthorized: the token does not open this gateway."  # the reason is not told


class Keyring:
    """All tokens of the installation by their SHA-256, swapped whole. Refused credentials are counted.

    ``vault`` opens passes; None: there are none.
    """

    __slots__ = ("_count", "_vault", "tokens")

    def __init__(
        self, telemetry: Telemetry, tokens: Mapping[bytes, Token] | None = None, vault: Vault | None = None
    ) -> None:
        self.tokens: Mapping[bytes, Token] = tokens or {}
        self._count = telemetry.refused
        self._vault = vault

    def known(self, secret: bytes) -> Token | None:
        """The token of that secret, expired or not."""
        return self.tokens.get(sha256(secret).digest())

    def stood_for(self, secret: bytes) -> Token | None:
        """The token that a pass stands for, expired or not, unless it was revoked."""
        digest = passes.opened(self._vault, secret, instants.now()) if self._vault is not None else None
        return None if digest is None else self.tokens.get(digest)

    def refused(self, plane: str, reason: str = "unknown") -> None:
        """Counts a refused caller of a plane (data, control)."""
        self._count.add((plane, reason))


class OpenAuth:
    """Authentication is off: invalid tokens are ignored. ``places``: see ``PLACES``."""

    required = False  # every call needs a token that opens the gateway; if not, only those whose surface is closed

    def __init__(self, keyring: Keyring, places: frozenset[bytes] = PLACES) -> None:
        self._keyring = keyring
        self._places = places | {PROTOCOLS}

    def identify(self, ex: Exchange) -> Caller:
        """The caller. Where a token is needed, raises Unauthorized if none came that opens the gateway, and
        UnknownGateway, as if there were none, if one of another account or for other gateways came.
        """
        bearer, fault, stay = self._look(ex.request)
        if fault and (self.required or ex.request.surface.closed):
            self._refuse(ex, fault)
        return self._caller(ex.request, bearer, fault, stay)

    def withheld(self, request: Request) -> tuple[frozenset[bytes], bytes | None]:
        """Headers of a request that do not travel, and what of its query does (None: all)."""
        caller = self._caller(request, *self._look(request))
        return caller.places, caller.query

    def _look(self, request: Request) -> tuple[Token | None, str, frozenset[bytes]]:
        """The token that lets the call in; without one, why none does; and the providers' headers that hold tokens."""
        bearer: Token | None = None
        fault, stay = "missing", _NOWHERE
        places, tokens = self._places, self._keyring.tokens
        for lower, _, value in request.headers:
            if lower not in places:
                continue
            words = value.split()
            secret = words[-1] if words else b""
            token = tokens.get(sha256(secret).digest())
            if token is None and secret.startswith(passes.PASS):
                token = self._keyring.stood_for(secret)
            if token is None:
                why = _stranger(words) if lower == OWN or request.surface.api else ""
            else:
                why = _form(words, lower) or _fault(token, request)
                if not why and (bearer is None or lower == OWN):
                    bearer = token
                if lower != OWN:
                    stay |= {lower}
            if why and fault == "missing":
                fault = why
        if len(request.query) > 1 and (token := offered(request.query, self._keyring.known)) and bearer is None:
            fault = _fault(token, request)
            bearer = None if fault else token
        return bearer, "" if bearer is not None else fault, stay

    def _caller(self, request: Request, bearer: Token | None, fault: str, stay: frozenset[bytes]) -> Caller:
        """With all that must stay here, which is only looked for once the call is let in."""
        known = self._keyring.known
        for lower, _, value in request.headers:
            if lower in self._places and lower != OWN and lower not in stay and stays(lower, value, known):
                stay |= {lower}
        query = travels(request.query, known) if len(request.query) > 1 else None
        if bearer is not None:
            return Caller(bearer.id, bearer, stay, query, "")
        return NOBODY if not stay and query is None and fault == "missing" else Caller("", None, stay, query, fault)

    def _refuse(self, ex: Exchange, fault: str) -> NoReturn:
        """Refuses the call. Hides the gateway's existence from foreign tokens: answer, headers and the row's owner."""
        self._keyring.refused("data", fault)
        default = ex.request.gateway == DEFAULT
        if fault in _FOREIGN or (default and not ex.options.log):
            ex.gateway, ex.snapshot, ex.options = NO_GATEWAY, 0, UNADDRESSED
        if fault in _FOREIGN and not default:
            raise UnknownGateway
        said = _SAID if not ex.request.surface.api else _SAID_OF_API
        raise Unauthorized(said.get(fault, _OTHERWISE))


class Auth(OpenAuth):
    """Authentication is on."""

    required = True


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
    return "scope" if token.scopes.isdisjoint(request.surface.scopes) else ""


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
