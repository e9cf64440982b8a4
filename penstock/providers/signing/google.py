"""Google service accounts: an assertion signed by google-auth (extra ``google``) is exchanged for a token.

A token is fetched once for all calls that wait for it, through the same transport and address rules as any call, and
kept until shortly before it expires.
"""

import asyncio
import time
from functools import cache
from importlib import import_module
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from penstock.core import instants
from penstock.core.codec import DecodeError, Struct, decoder
from penstock.core.errors import AccountRefused, NoCredential, ProviderFailure
from penstock.model.credential import Credential
from penstock.model.outgoing import Outgoing
from penstock.model.peek import peek
from penstock.model.plan import Origin, Target
from penstock.ports.transport import Transport
from penstock.providers.credential_json import GoogleCredential, read
from penstock.providers.signing import Signer

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address
MISSING = "google-auth is not installed: install penstock[google]."
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME = 3600  # seconds of an assertion
_EARLY = 300  # seconds before it expires that a token is not used any more
_PATIENCE = 10.0  # seconds that the exchange may take
_FAILED = 500  # the first status that is not about the account
_LARGE = 1 << 16  # bytes of its answer
_MOST = 1000  # tokens that are kept


class _Answer(Struct):
    access_token: str = ""
    expires_in: int = 0
    error: str = ""
    error_description: str = ""


_decode_answer = decoder(_Answer).decode


class GoogleSigner(Signer):
    """Sends the token of the service account in ``authorization``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._tokens: dict[bytes, tuple[str, float]] = {}  # with the monotonic time at which they are no longer used
        self._fetching: dict[bytes, asyncio.Task[str]] = {}

    async def sign(self, outgoing: Outgoing, target: Target, credential: Credential) -> None:
        token, until = self._tokens.get(credential.mark, ("", 0.0))
        if time.monotonic() >= until:
            token = await self._fetched(credential)
        outgoing.put(b"authorization", b"Bearer " + token.encode())

    async def _fetched(self, credential: Credential) -> str:
        """One fetch for all that wait; a call that is cancelled does not end it."""
        task = self._fetching.get(credential.mark)
        if task is None:
            task = self._fetching[credential.mark] = asyncio.get_running_loop().create_task(self._fetch(credential))
            task.add_done_callback(lambda done: self._forget(credential.mark, done))
        return await asyncio.shield(task)

    def _forget(self, mark: bytes, done: asyncio.Task[str]) -> None:
        self._fetching.pop(mark, None)
        if not done.cancelled():
            done.exception()  # whoever still waits has it; all may have left

    async def _fetch(self, credential: Credential) -> str:
        try:
            key = cast("GoogleCredential", read("google", credential.secret))
            asked = await asyncio.to_thread(_assertion, key)
        except ValueError as error:
            raise NoCredential(f"The key {credential.alias!r} {error}.") from None
        status, answer = await self._exchange(key.token_uri or TOKEN_URI, asked)
        if not answer.access_token:
            why = answer.error_description or answer.error or "no token came"
            told = f"Google refused the service account of the key {credential.alias!r} ({status}): {why[:200]}"
            raise AccountRefused(told) if status < _FAILED else ProviderFailure(told)
        if len(self._tokens) >= _MOST:
            self._tokens.clear()
        self._tokens[credential.mark] = answer.access_token, time.monotonic() + max(0, answer.expires_in - _EARLY)
        return answer.access_token

    async def _exchange(self, url: str, assertion: bytes) -> tuple[int, _Answer]:
        place = urlsplit(url)
        tls = place.scheme == "https"
        origin = Origin(tls, place.hostname or "", place.port or (443 if tls else 80))
        request = Outgoing(origin, b"POST", place.netloc.encode(), place.path.encode() or b"/")
        request.put(b"content-type", b"application/x-www-form-urlencoded")
        request.body = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
        reply = await self._transport.send(request, _PATIENCE)
        try:
            return reply.status, _decode_answer(await peek(reply.body, _LARGE, _PATIENCE))
        except DecodeError:
            raise ProviderFailure(f"Google answered {reply.status} to a service account, and no token.") from None
        finally:
            reply.body.close()


def _assertion(key: GoogleCredential) -> bytes:
    """Raises ValueError."""
    jwt, crypt = _library()
    try:
        signer = crypt.RSASigner.from_string(key.private_key, key.private_key_id or None)
    except ValueError:
        raise ValueError("cannot be used: its private_key is no RSA key that can be read") from None
    now = instants.now() // 1000
    claims = {
        "iss": key.client_email,
        "scope": SCOPE,
        "aud": key.token_uri or TOKEN_URI,
        "iat": now,
        "exp": now + _LIFETIME,
    }
    return jwt.encode(signer, claims)


@cache
def _library() -> tuple[Any, Any]:
    """The modules: an extra, and slow to import. Raises NoCredential where it is not installed."""
    try:
        return import_module("google.auth.jwt"), import_module("google.auth.crypt")
    except ImportError:
        raise NoCredential(MISSING) from None
