"""Links that sign in once: a session that has not begun, sealed. Beginning it twice is what its id does not allow."""

import secrets
from typing import NamedTuple

from penstock.core.sealing import NotOpened, Vault

LASTS = 3_600_000  # milliseconds; a session lasts longer, so that its row is there as long as the link is good

_PLACE = "sign-in link"


class Link(NamedTuple):
    account: str
    token: str
    session: str


def new(vault: Vault, account: str, token: str, now: int) -> str:
    """What the address carries: letters, digits and marks that need no escape. ``token``: its id."""
    sealed = vault.seal(f"{account} {token} {secrets.token_hex(16)} {now + LASTS}", _PLACE)
    return sealed.rstrip("=")


def opened(vault: Vault, text: str, now: int) -> Link | None:
    """None: it was not made here, or is too old."""
    try:
        account, token, session, until = vault.open(text + "=" * (-len(_coded(text)) % 4), _PLACE).split(" ")
    except NotOpened:
        return None
    return Link(account, token, session) if now < int(until) else None


def _coded(text: str) -> str:
    return text.partition(".")[2]


def address(url: str, text: str) -> str:
    """``url``: of the server."""
    return f"{url}/ui/sign-in?once={text}"
