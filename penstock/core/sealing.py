"""Secrets at rest: sealed with AES-256-GCM under keys derived from the master key, each text to the place it stands in.

A sealed text that is moved to another row, account or field does not open there.
"""

import base64
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"
_KEY = 32  # bytes of a key
_NONCE = 12  # bytes; random, so one key is good for some four thousand million texts


class NotOpened(Exception):
    """A sealed text that cannot be opened: another master key, another place, or damage."""


class Vault:
    """``master_key``: at least 32 random bytes. It seals, and it opens; ``previous`` keys open what it does not.

    Keys are derived for each purpose, the first word of a place.
    """

    def __init__(self, master_key: bytes, *previous: bytes) -> None:
        self._masters = (master_key, *previous)
        for key in self._masters:
            if len(key) < _KEY:
                raise ValueError(f"the master key has {len(key)} bytes; {_KEY} are needed")
        self._ciphers: dict[tuple[bytes, str], AESGCM] = {}

    def seal(self, text: str, *place: str) -> str:
        """ASCII text, another each time. ``place``: table, account, row, field; the same words open it."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher(self._masters[0], place[0]).encrypt(nonce, text.encode(), _bound(place))
        return f"{_VERSION}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *place: str) -> str:
        """The text that was sealed at this place. Raises NotOpened."""
        return self._opened(sealed, place)[0]

    def renewed(self, sealed: str, *place: str) -> str:
        """The same secret sealed with ``master_key``: unchanged where it is already. Raises NotOpened."""
        text, master = self._opened(sealed, place)
        return sealed if master == self._masters[0] else self.seal(text, *place)

    def _opened(self, sealed: str, place: tuple[str, ...]) -> tuple[str, bytes]:
        """The text and the master key that it is sealed with. Raises NotOpened."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  see _derive

        raw, bound = _decoded(sealed, place), _bound(place)
        for master in self._masters:
            with suppress(InvalidTag, ValueError):
                return self._cipher(master, place[0]).decrypt(raw[:_NONCE], raw[_NONCE:], bound).decode(), master
        raise NotOpened(_damaged(place))

    def _cipher(self, master: bytes, purpose: str) -> "AESGCM":
        made = self._ciphers.get((master, purpose))
        if made is None:
            made = self._ciphers[master, purpose] = _derive(master, purpose)
        return made


def _decoded(sealed: str, place: tuple[str, ...]) -> bytes:
    """Nonce and cipher text. Raises NotOpened."""
    version, _, coded = sealed.partition(".")
    if version != _VERSION:
        raise NotOpened(f"{'/'.join(place)}: not sealed by this version of Penstock")
    try:
        raw = base64.urlsafe_b64decode(coded)
    except ValueError:  # binascii.Error too
        raise NotOpened(_damaged(place)) from None
    if base64.urlsafe_b64encode(raw).decode() != coded:  # the decoder passes over what does not belong
        raise NotOpened(_damaged(place))
    return raw


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
