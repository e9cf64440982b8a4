"""A stand-in for an identity provider: discovery, keys, and the two endpoints of the authorization-code flow.

It checks what a client sends (redirect, secret, PKCE), and misbehaves where a test says so.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from tests.kit.provider import Peer, providing

CLIENT, SECRET = "penstock", "canary-oidc-client:secret/of 0123".replace(" ", "+")


class Idp:
    """``user``: the claims of whoever is signed in there. What it does wrong: ``changes`` to the claims of an ID token
    (None: left out), ``signs`` (ES256, none, HS256 with the public key, or another key), ``instead`` of its answers,
    whole ones by path.
    """

    def __init__(self) -> None:
        self.url = ""
        self.user: dict[str, Any] = {
            "sub": "mia",
            "email": "mia@example.org",
            "email_verified": True,
            "groups": ["ops"],
        }
        self.changes: dict[str, Any] = {}
        self.signs = "ES256"
        self.instead: dict[str, bytes] = {}
        self.metadata: dict[str, Any] = {}
        self.silent = asyncio.Event()  # set: it takes requests and answers none
        self.asked: list[str] = []  # paths
        self.codes: dict[str, dict[str, str]] = {}  # what was asked for, by code
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), "k1"

    def rotate(self) -> None:
        """Signs with another key from now on, and no longer tells the one before."""
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), secrets.token_hex(4)

    def keys(self) -> list[dict[str, Any]]:
        told = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return [{"kty": "oct", "k": "AAAA"}, {**told, "kid": self.kid, "use": "sig", "alg": "ES256"}]

    def authorize(self, address: str) -> str:
        """The person agrees there; the address that the browser is sent back to."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["response_type"] == "code", asked
        assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT, "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.url})}"

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = (
            {"iss": self.url, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce} | self.user | self.changes
        )
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.signs in {"ES256", "another key"}:
            key = self.key if self.signs == "ES256" else ec.generate_private_key(ec.SECP256R1())
            return jwt.encode(claims, key, "ES256", {"kid": self.kid})
        head = {"typ": "JWT", "alg": self.signs, "kid": self.kid}
        signed = f"{_coded(json.dumps(head).encode())}.{_coded(json.dumps(claims).encode())}"
        public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signature = hmac.digest(public, signed.encode(), "sha256") if self.signs == "HS256" else b""
        return f"{signed}.{_coded(signature)}"

    async def serve(self, peer: Peer) -> None:
        while True:
            head, _, body = (await peer.request()).partition(b"\r\n\r\n")
            method, target, _ = head.decode().split(" ", 2)
            self.asked.append(urlsplit(target).path)
            if self.silent.is_set():
                await peer.gone()
                return
            await peer.say(self.instead.get(urlsplit(target).path) or said(*self._answer(method, target, head, body)))

    def _answer(self, method: str, target: str, head: bytes, body: bytes) -> tuple[int, Any]:
        if target == "/.well-known/openid-configuration":
            named = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return 200, {"issuer": self.url} | {
                name: f"{self.url}/{path}" for name, path in named.items()
            } | self.metadata
        if target.startswith("/authorize?"):  # people see this
            link = self.authorize(target).replace("&", "&amp;")
            return 200, f'<!doctype html><title>Identity provider</title><a href="{link}">Agree</a>'.encode()
        if target == "/keys":
            return 200, {"keys": self.keys()}
        if (method, target) == ("POST", "/token"):
            return self._redeemed(head, dict(parse_qsl(body.decode())))
        return 404, {}

    def _redeemed(self, head: bytes, form: dict[str, str]) -> tuple[int, Any]:
        given = _basic(head) or (form.get("client_id", ""), form.get("client_secret", ""))
        if given != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = _coded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        good = (
            asked is not None
            and verifier == asked["code_challenge"]
            and form.get("redirect_uri") == asked["redirect_uri"]
        )
        if asked is None or not good or form.get("grant_type") != "authorization_code":
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.token(asked["nonce"])}


def said(status: int, body: Any) -> bytes:
    """An answer as it travels; ``body``: what JSON can say, or bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data


def _basic(head: bytes) -> tuple[str, str] | None:
    for line in head.decode().split("\r\n"):
        if line.lower().startswith("authorization: basic "):
            name, _, secret = base64.b64decode(line.split(" ")[2]).decode().partition(":")
            return unquote_plus(name), unquote_plus(secret)
    return None


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@asynccontextmanager
async def identifying() -> AsyncGenerator[Idp]:
    """An identity provider on any free port, until the block ends."""
    idp = Idp()
    async with providing(idp.serve) as listening:
        idp.url = listening.url
        yield idp
