"""Stored keys that are JSON objects: credentials of AWS and of Google service accounts. Pure.

A row's ``credential_json`` names the shape that its provider's keys may have; a key that does not begin with ``{`` is a
plain text there too.
"""

import re
from urllib.parse import urlsplit

import msgspec

from penstock.core.codec import DecodeError, decoder

_PEM = re.compile(r"-----BEGIN (RSA )?PRIVATE KEY-----\s[A-Za-z0-9+/=\s]+-----END ")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class AwsCredential(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Signs for one region, unless the path of a call names another."""

    access_key_id: str
    secret_access_key: str
    region: str
    session_token: str | None = None

    @property
    def name(self) -> str:
        return self.access_key_id

    @property
    def parts(self) -> dict[str, str]:
        """What it says of the addresses of its calls, by the names of a row's parts."""
        return {"region": self.region}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown of it."""
        return self.secret_access_key, self.session_token or ""

    def lacks(self) -> str:
        """The name of a member that must not be empty and is; empty: none is."""
        named = {"accessKeyId": self.access_key_id, "secretAccessKey": self.secret_access_key, "region": self.region}
        return next((member for member, value in named.items() if not value.strip()), "")


class GoogleCredential(msgspec.Struct, frozen=True):
    """The key file of a service account; members that are not named here are kept as they are."""

    type: str
    project_id: str
    private_key_id: str
    private_key: str
    client_email: str
    token_uri: str | None = None
    region: str | None = None

    @property
    def name(self) -> str:
        return self.private_key_id

    @property
    def parts(self) -> dict[str, str]:
        """As of AwsCredential."""
        return {"project": self.project_id, "region": self.region or "us-central1"}

    @property
    def secrets(self) -> tuple[str, ...]:
        """As of AwsCredential."""
        return (self.private_key,)

    def lacks(self) -> str:
        """As of AwsCredential."""
        if self.type != "service_account":
            return "type: service_account"
        if _PEM.search(self.private_key) is None:
            return "private_key: a key in PEM"
        if self.token_uri and not _fetchable(self.token_uri):
            return "token_uri: an https address"
        named = {"project_id": self.project_id, "client_email": self.client_email}
        return next((member for member, value in named.items() if not value.strip()), "")


def _fetchable(uri: str) -> bool:
    """http is for this machine alone."""
    place = urlsplit(uri)
    return bool(place.hostname) and (
        place.scheme == "https" or (place.scheme == "http" and place.hostname in _LOOPBACK)
    )


Credential = AwsCredential | GoogleCredential
PARTS = frozenset({"region", "project"})  # of addresses, that keys may tell
_SHAPES = {
    "aws": ("an AWS credential", decoder(AwsCredential).decode),
    "google": ("a Google service account", decoder(GoogleCredential).decode),
}


def is_json(shape: str, secret: str) -> bool:
    """Whether the secret is to be read as JSON. ``shape``: the row's ``credential_json``."""
    return bool(shape) and secret.startswith("{")


def read(shape: str, secret: str) -> Credential:
    """Raises ValueError, which names the member that is wrong and quotes no value."""
    words, decode = _SHAPES[shape]
    try:
        credential: Credential = decode(secret.encode())
    except DecodeError as error:
        raise ValueError(f"is not the JSON of {words}: {error}") from None
    if lacking := credential.lacks():
        raise ValueError(f"is not the JSON of {words}: it lacks {lacking}")
    return credential
