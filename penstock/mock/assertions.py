"""Google's exchange of a service account's signed assertion for an access token."""

import hashlib
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from penstock.core import codec, instants
from penstock.mock.answer import Answer, json

PATH = b"/oauth2/token"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST = 3600  # seconds between iat and exp
_LEEWAY = 300  # seconds by which clocks may differ
_TIMES = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    " Check your iat and exp values in the JWT claim."
)


_SIGNATURE = "Invalid JWT Signature."


class _Refused(Exception):
    """Says why."""

    def __init__(self, description: str, error: str = "invalid_grant") -> None:
        super().__init__(description)
        self.error = error


class _Header(codec.Struct):
    alg: str = ""


class _Claims(codec.Struct):
    iss: str = ""
    scope: str = ""
    aud: str = ""
    iat: int = 0
    exp: int = 0


_header = codec.decoder(_Header).decode
_claims = codec.decoder(_Claims).decode


def public_key(pem: bytes) -> RSAPublicKey:
    """Of a public key or a certificate in PEM. Raises ValueError."""
    key = x509.load_pem_x509_certificate(pem).public_key() if b"CERTIFICATE" in pem else load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("it is no RSA key")  # noqa: TRY004  the file is wrong, not the program
    return key


def token(email: str, key: RSAPublicKey) -> str:
    """The access token of an account: always the same."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"ya29.{hashlib.sha256(email.encode() + der).hexdigest()}"


def exchange(body: bytes, here: str, accounts: Mapping[str, RSAPublicKey]) -> Answer:
    """The token, or a refusal as Google words it. ``here``: host and path of this endpoint, which is the audience."""
    try:
        email = _account(parse_qs(body.decode("latin-1")), here, accounts)
    except _Refused as why:
        return json({"error": why.error, "error_description": str(why)}, 400)
    return json({"access_token": token(email, accounts[email]), "expires_in": 3599, "token_type": "Bearer"})


def _account(form: Mapping[str, list[str]], here: str, accounts: Mapping[str, RSAPublicKey]) -> str:
    """Whose assertion it is. Raises _Refused."""
    grant = form.get("grant_type", [""])[0]
    if grant != _GRANT:
        raise _Refused(f"Invalid grant_type: {grant[:100]}", "unsupported_grant_type")
    claims = _verified(form.get("assertion", [""])[0], accounts)
    now = instants.now() // 1000
    if not (claims.iat - _LEEWAY <= now < claims.exp + _LEEWAY and 0 < claims.exp - claims.iat <= _LONGEST):
        raise _Refused(_TIMES)
    if claims.aud.partition("://")[2] != here:
        raise _Refused("Invalid JWT: Failed audience check.")
    if not claims.scope:
        raise _Refused("Invalid OAuth scope or ID token audience provided.", "invalid_scope")
    return claims.iss


def _verified(assertion: str, accounts: Mapping[str, RSAPublicKey]) -> _Claims:
    """What an assertion claims, whose signature is right. Raises _Refused."""
    try:
        head, told, signature = (_decoded(part) for part in assertion.split("."))
        header, claims = _header(head), _claims(told)
    except (*codec.DecodeError, ValueError):
        raise _Refused("Bad Request") from None
    key = accounts.get(claims.iss)
    if key is None:
        raise _Refused("Invalid grant: account not found")
    if header.alg != "RS256":
        raise _Refused(_SIGNATURE)
    try:
        key.verify(signature, assertion.rpartition(".")[0].encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise _Refused(_SIGNATURE) from None
    return claims


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
