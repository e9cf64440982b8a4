"""The secret of an API token: what it looks like, and what is stored of it."""

import hashlib
import secrets
import string
import zlib

_LETTERS = string.ascii_letters + string.digits


def new() -> str:
    """A random token: ``pst_``, 40 letters and digits, and their CRC-32 (8 hex), so that scanners can tell a typo."""
    body = "pst_" + "".join(secrets.choice(_LETTERS) for _ in range(40))
    return body + f"{zlib.crc32(body.encode()):08x}"


def digest(secret: bytes) -> bytes:
    """SHA-256 of it: what is stored, and looked up."""
    return hashlib.sha256(secret).digest()
