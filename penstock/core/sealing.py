"""Secrets at rest: sealed with AES-256-GCM under keys derived from the master key, each text to the place it stands in.

A sealed text that is moved to another row, account or field does not open there.
"""

import base64
import binascii
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"
_KEY = 32  # bytes of a key
_NONCE = 12  # bytes; random, so one key is good for some four thousand million texts


class NotOpened(Exception):
    """A sealed text that cannot be opened: another master key, another place, or damage."""


class Vault:
    """``master_key``: at least 32 random bytes. Keys are derived for each purpose, the first word of a place."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) < _KEY:
            raise ValueError(f"the master key has {len(master_key)} bytes; {_KEY} are needed")
        self._master = master_key
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, text: str, *place: str) -> str:
        """ASCII text, another each time. ``place``: table, account, row, field; the same words open it."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher(place).encrypt(nonce, text.encode(), _bound(place))
        return f"{_VERSION}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *place: str) -> str:
        """The text that was sealed at this place. Raises NotOpened."""
        version, _, coded = sealed.partition(".")
        if version != _VERSION:
            raise NotOpened(f"{'/'.join(place)}: not sealed by this version of Penstock")
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  see _cipher

        try:
            raw = base64.urlsafe_b64decode(coded)
            if base64.urlsafe_b64encode(raw).decode() != coded:  # the decoder passes over what does not belong
                raise NotOpened(_damaged(place))
            return self._cipher(place).decrypt(raw[:_NONCE], raw[_NONCE:], _bound(place)).decode()
        except (binascii.Error, InvalidTag, ValueError):
            raise NotOpened(_damaged(place)) from None

    def _cipher(self, place: tuple[str, ...]) -> "AESGCM":
        purpose = place[0]
        made = self._ciphers.get(purpose)
        if made is None:
            made = self._ciphers[purpose] = _derive(self._master, purpose)
        return made


def _derive(master: bytes, purpose: str) -> "AESGCM":
    """The cipher for one purpose. The library is loaded here: a start that opens nothing does without it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    info = b"penstock sealing v1: " + purpose.encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=_KEY, salt=None, info=info).derive(master))


def _bound(place: tuple[str, ...]) -> bytes:
    """The associated data: each word after its length, so that no two places read the same."""
    words = [_VERSION.encode(), *(word.encode() for word in place)]
    return b"".join(len(word).to_bytes(4, "big") + word for word in words)


def _damaged(place: tuple[str, ...]) -> str:
    return (
        f"{'/'.join(place)}: the sealed value does not open; it is damaged, was sealed elsewhere, or the master key is "
        "not the one it was sealed with"
    )
