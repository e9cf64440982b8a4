"""Penstock as a client of an identity provider: the two steps of the authorization-code flow, with PKCE.

Between the steps, all that must be known of a sign-in is in the browser, sealed.
"""

import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from penstock.control.oidc import id_token
from penstock.control.oidc.fetch import Unusable
from penstock.control.oidc.id_token import Expected, NoKey, Unsound
from penstock.control.oidc.provider import Metadata, Provider
from penstock.core import codec, instants
from penstock.core.codec import DecodeError, Struct
from penstock.core.logs import log
from penstock.core.sealing import NotOpened, Vault
from penstock.core.settings import Settings
from penstock.core.settings_sections import OidcGrant
from penstock.ports.transport import Transport

LASTS = 600_000  # milliseconds that somebody has at the provider

_PLACE = ("oidc", "sign-in")
_OK = 200


class Refused(Exception):
    """Nobody is signed in. ``status`` and the message are for the page; ``reason`` is for the operator."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason


class Pending(Struct, frozen=True):
    """A sign-in that has begun. ``after``: the page that was wanted."""

    state: str
    nonce: str
    verifier: str
    after: str
    until: int


class Begun(NamedTuple):
    address: str  # at the provider
    sealed: str  # what the browser keeps meanwhile


class Known(NamedTuple):
    claims: dict[str, Any]
    after: str


class Party:
    """``grants``: who may do what. ``account``: in which account; empty: the first."""

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self.issuer, self.account = settings.oidc_issuer, settings.account_id
        self.grants: tuple[OidcGrant, ...] = settings.oidc_grants
        self._id, self._secret = settings.oidc_client_id, settings.oidc_client_secret
        self._scopes = settings.oidc_scopes
        self._provider = Provider(transport, settings.oidc_issuer)

    async def begin(self, vault: Vault, redirect: str, after: str) -> Begun:
        """``redirect``: where the provider sends the browser back to. Raises Refused."""
        try:
            metadata = await self._provider.metadata()
        except Unusable as error:
            raise _failed(str(error)) from None
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        pending = Pending(state, nonce, verifier, after, instants.now() + LASTS)
        asked = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": redirect,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        there = metadata.authorization_endpoint
        address = f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}"
        return Begun(address, vault.seal(codec.encode(pending).decode(), *_PLACE))

    async def finish(self, vault: Vault, sealed: str, came: Mapping[str, str], redirect: str) -> Known:
        """What is known of whoever comes back. ``came``: the query of the address. Raises Refused."""
        pending = _opened(vault, sealed)
        if pending is None or not compare_digest(came.get("state", "").encode(), pending.state.encode()):
            raise Refused(400, "This sign-in was not begun in this browser, or too long ago. Begin again.")
        if error := came.get("error"):
            raise Refused(403, f"The identity provider refused the sign-in: {_word(error)}.", _word(error))
        try:
            metadata = await self._provider.metadata()
            if came.get("iss", "" if _tells(metadata) else metadata.issuer) != metadata.issuer:
                raise Unusable("the answer of another provider came back")
            token = await self._redeemed(came.get("code", ""), pending, redirect, metadata)
            return Known(await self._verified(token, Expected(metadata.issuer, self._id, pending.nonce)), pending.after)
        except Unusable as error:
            raise _failed(str(error)) from None
        except Unsound as error:
            raise _failed(f"the ID token is not to be believed: {error}") from None

    async def _redeemed(self, code: str, pending: Pending, redirect: str, metadata: Metadata) -> str:
        """The ID token for a code. Raises Unusable."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
        form |= {"code_verifier": pending.verifier}
        known, authorization = metadata.token_endpoint_auth_methods_supported, ""
        if self._secret and "client_secret_basic" in (known or ("client_secret_basic",)):
            pair = f"{quote_plus(self._id)}:{quote_plus(self._secret)}"
            authorization = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._id} | ({"client_secret": self._secret} if self._secret else {})
        status, said = await self._provider.redeem(form, authorization)
        token = said.get("id_token")
        if status != _OK or not isinstance(token, str):
            raise Unusable(f"the token endpoint answered {status}, {_word(said.get('error', 'without an ID token'))}")
        return token

    async def _verified(self, token: str, expected: Expected) -> dict[str, Any]:
        """Raises Unsound and Unusable."""
        try:
            return id_token.verified(token, await self._provider.keys(), expected)
        except NoKey:  # since we asked, the provider may have begun to sign with another
            return id_token.verified(token, await self._provider.keys(renewed=True), expected)


def _tells(metadata: Metadata) -> bool:
    return metadata.authorization_response_iss_parameter_supported


def _opened(vault: Vault, sealed: str) -> Pending | None:
    try:
        pending = _pending(vault.open(sealed, *_PLACE).encode())
    except (NotOpened, *DecodeError):
        return None
    return pending if instants.now() < pending.until else None


_pending = codec.decoder(Pending).decode


def _failed(reason: str) -> Refused:
    log.warning("a sign-in by OpenID Connect failed: %s", reason)
    return Refused(
        502, "The sign-in failed at the identity provider. The log of Penstock says why; ask whoever runs it.", reason
    )


def _word(said: object) -> str:
    """A word of the provider's, on one line."""
    return ascii(said)[:100].strip("'")
