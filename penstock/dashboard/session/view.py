"""Signing in and out."""

from fastapi import Response

from penstock.control.sessions import service
from penstock.core import instants
from penstock.core.errors import Conflict
from penstock.dashboard import security
from penstock.dashboard.forms import NO_FAULTS, Faults
from penstock.dashboard.page import SIGN_IN, onward, post, public
from penstock.dashboard.visit import Guest, Visit, within

_REFUSED = Faults([("token", "No token of this installation is written like that, or it was revoked or has expired.")])
_STALE = "This link is not good, or no longer: one signs in within an hour, and as long as its token is good."


async def ask(guest: Guest) -> Response:
    after = within(guest.query.get("next", "/"))
    if "once" in guest.query and guest.request.method == "GET":  # whoever asks by HEAD only looks
        return await _by_link(guest, guest.query["once"], after)
    return guest.go(after) if isinstance(guest, Visit) else _door(guest, after)


def _door(guest: Guest, after: str, status: int = 200, *, faults: Faults = NO_FAULTS, notice: str = "") -> Response:
    return guest.html("session/sign_in.html", status, next=after, faults=faults, notice=notice)


async def _by_link(guest: Guest, text: str, after: str) -> Response:
    try:
        begun = await service.begin_by_link(guest.control, text)
    except Conflict as used:
        return _door(guest, after, used.status, notice=used.message)
    return _door(guest, after, 401, notice=_STALE) if begun is None else welcome(guest, begun, after, elsewhere=True)


async def sign_in(guest: Guest) -> Response:
    """With the token that was typed."""
    form, control = await guest.form(), guest.control
    after = within(form.text("next"))
    token = control.keyring.known(form.text("token").encode())
    if token is None or token.expired(instants.now()):
        control.keyring.refused("control")
        return _door(guest, after, 401, faults=_REFUSED)
    begun = await service.begin(control, token, service.new_id())
    return welcome(guest, begun, after)


def welcome(guest: Guest, session: service.Session, after: str, *, elsewhere: bool = False) -> Response:
    """Leads somebody on who has just signed in. ``elsewhere``: perhaps another site led here."""
    answer = onward(after) if elsewhere else guest.go(after)
    seconds = max(0, (session.expires_at - instants.now()) // 1000)
    cookie = security.seal(guest.control.vault, session.token.account, session.id)
    security.set_cookie(answer, guest.request, security.COOKIE, cookie, seconds)
    return answer


async def sign_out(visit: Visit) -> Response:
    await service.end(visit.control, visit.session)
    return _gone(visit)


async def sign_out_everywhere(visit: Visit) -> Response:
    await service.end_all(visit.control, visit.session)
    return _gone(visit)


def _gone(visit: Visit) -> Response:
    answer = visit.go(SIGN_IN)
    security.drop_cookie(answer, security.COOKIE)
    return answer


ROUTES = (
    public(SIGN_IN, ask),
    public(SIGN_IN, sign_in, "POST"),
    post("/ui/sign-out", sign_out),
    post("/ui/sign-out-everywhere", sign_out_everywhere),
)
