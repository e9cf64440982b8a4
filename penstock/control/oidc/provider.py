"""The identity provider: where its parts are (discovery), and with which keys it signs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from penstock.control.oidc.fetch import Answer, Unusable, ask
from penstock.core.codec import Struct
from penstock.ports.transport import Transport

KEPT = 3600.0  # seconds that what it told is used
AGAIN = 30.0  # seconds after which it is asked anew for a key that is missing: it has changed its keys
FAILED = 5.0  # seconds in which nobody asks again after it has failed
MOST_KEYS = 100

_T = TypeVar("_T")
_OK = 200


class Metadata(Struct, frozen=True):
    """The part of OpenID Provider Metadata that is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """``issuer``: its address as the operator wrote it, without a slash at its end."""

    def __init__(self, transport: Transport, issuer: str) -> None:
        self._transport = transport
        self._issuer = issuer
        self._metadata = _Kept(self._discovered)
        self._keys = _Kept(self._listed)

    async def metadata(self) -> Metadata:
        """Raises Unusable."""
        return await self._metadata.get(KEPT)

    async def keys(self, *, renewed: bool = False) -> list[dict[str, Any]]:
        """JSON Web Keys. ``renewed``: one was missing in those that are known. Raises Unusable."""
        return await self._keys.get(AGAIN if renewed else KEPT)

    async def redeem(self, form: Mapping[str, str], authorization: str) -> Answer:
        """What the token endpoint answers. Raises Unusable."""
        url = (await self.metadata()).token_endpoint
        return await ask(self._transport, url, trusted=self._own(url), form=form, authorization=authorization)

    async def _discovered(self) -> Metadata:
        said = await self._asked(f"{self._issuer}/.well-known/openid-configuration")
        try:
            found = msgspec.convert(said, Metadata)
        except msgspec.ValidationError as error:
            raise Unusable(f"the discovery document of {self._issuer} is not one: {error}") from None
        if found.issuer.removesuffix("/") != self._issuer:
            raise Unusable(f"the discovery document of {self._issuer} is that of {found.issuer[:200]!a}")
        for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if not url.startswith("https://") and not self._own(url):
                raise Unusable(f"the discovery document of {self._issuer} names an address without TLS")
        return found

    async def _listed(self) -> list[dict[str, Any]]:
        said = await self._asked((await self.metadata()).jwks_uri)
        try:
            return msgspec.convert(said.get("keys"), list[dict[str, Any]])[:MOST_KEYS]
        except msgspec.ValidationError:
            raise Unusable(f"the keys of {self._issuer} are no JSON Web Key Set") from None

    async def _asked(self, url: str) -> dict[str, Any]:
        answer = await ask(self._transport, url, trusted=self._own(url))
        if answer.status != _OK:
            raise Unusable(f"{url[:200]!a} answered {answer.status}")
        return answer.said

    def _own(self, url: str) -> bool:
        """Whether it is at the operator's address, which may be private, and is as well kept there as on the way."""
        return urlsplit(url)[:2] == urlsplit(self._issuer)[:2]


class _Kept(Generic[_T]):
    """What was told last, asked for by one at a time."""

    def __init__(self, ask: Callable[[], Awaitable[_T]]) -> None:
        self._ask = ask
        self._told: _T | None = None
        self._failure: Unusable | None = None
        self._at = 0.0  # when it was told, or not
        self._lock = asyncio.Lock()

    async def get(self, age: float) -> _T:
        """What was told no more than ``age`` seconds ago. Raises Unusable."""
        async with self._lock:
            passed = time.monotonic() - self._at
            if self._failure is not None and passed < FAILED:
                raise self._failure
            if self._told is None or passed >= age or self._failure is not None:
                await self._renew()
            assert self._told is not None
            return self._told

    async def _renew(self) -> None:
        try:
            self._told, self._failure = await self._ask(), None
        except Unusable as failure:
            self._failure = failure
            raise
        finally:
            self._at = time.monotonic()
