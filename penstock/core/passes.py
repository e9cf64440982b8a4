"""Passes: for a few minutes as good as a token, on the data plane alone (docs/tokens.md).

A page in a browser calls models for whoever is signed in, and a token's secret is with its holder alone. So the page
gets a pass: the token's hash and a time, sealed. Every process opens it, and none keeps it. It begins as tokens do, so
that whatever keeps tokens from travelling or being told keeps passes too.
"""

from typing import NamedTuple

from penstock.core.sealing import NotOpened, Vault

PASS = b"pst_pass_"
LASTS = 300_000  # milliseconds

_PLACE = "pass"  # a purpose of its own: what is sealed for another is no pass, and no pass is anything else


class Pass(NamedTuple):
    """``text`` is what a page sends as a token; it is good until ``expires_at``, milliseconds since the epoch."""

    text: str
    expires_at: int


def new(vault: Vault, digest: bytes, now: int) -> Pass:
    """For the token of that hash."""
    until = now + LASTS
    return Pass(PASS.decode() + vault.seal(f"{digest.hex()} {until}", _PLACE), until)


def opened(vault: Vault, secret: bytes, now: int) -> bytes | None:
    """The hash of the token that a secret stands for, if it is a pass and still good."""
    try:
        digest, _, until = vault.open(secret.removeprefix(PASS).decode("latin-1"), _PLACE).partition(" ")
    except NotOpened:
        return None
    return bytes.fromhex(digest) if now < int(until) else None
