"""What browsers are told and asked, so that no other site and no text of a peer's acts in somebody's name.

The session's id travels in a cookie that is sealed with the master key, and that scripts and other sites never see.
Each write carries a token that is made from the id (docs/dashboard.md).
"""

import hashlib
import hmac
from collections.abc import Mapping

from fastapi import Request, Response

from penstock.core.sealing import NotOpened, Vault

COOKIE = "penstock_session"
FLASH = "penstock_flash"  # what was done, shown once on the page that follows
_PURPOSE = "dashboard"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def seal(vault: Vault, account: str, session: str) -> str:
    """The cookie of a session."""
    return vault.seal(f"{account}.{session}", _PURPOSE, "session")


def opened(vault: Vault, cookie: str) -> tuple[str, str] | None:
    """Account and id of the session in a cookie; None: it is not ours."""
    try:
        account, _, session = vault.open(cookie, _PURPOSE, "session").partition(".")
    except NotOpened:
        return None
    return account, session


def csrf(session: str) -> str:
    """What every write of the session must carry; tells nothing about the id."""
    return hashlib.sha256(b"penstock dashboard csrf: " + session.encode()).hexdigest()


def matches(session: str, given: str) -> bool:
    return hmac.compare_digest(csrf(session).encode(), given.encode())


def from_here(request: Request) -> bool:
    """Whether a browser says that a page of ours sent the request; without a word of it: True."""
    if (site := request.headers.get("sec-fetch-site")) is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")


def followed_from_elsewhere(request: Request) -> bool:
    """Whether a link on another site led here: the browser then keeps the session's cookie back."""
    headers = request.headers
    return headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") == "navigate"


def set_cookie(response: Response, request: Request, name: str, value: str, seconds: int | None = None) -> None:
    """``seconds``: None: until the browser closes."""
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict")


def drop_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", httponly=True, samesite="strict")


def lend_cookie(response: Response, request: Request, name: str, value: str, path: str, seconds: int) -> None:
    """One that comes along, below a path, when another site leads back to ours; without a value, it is dropped."""
    secure = request.url.scheme == "https"
    age = seconds if value else 0
    response.set_cookie(name, value, max_age=age, path=path, secure=secure, httponly=True, samesite="lax")
