"""Signing in and out."""

from fastapi import Response

from penstock.control.sessions import service
from penstock.core import instants
from penstock.dashboard import security
from penstock.dashboard.forms import Faults
from penstock.dashboard.page import SIGN_IN, post, public
from penstock.dashboard.visit import Guest, Visit, within

_REFUSED = Faults([("token", "No token of this installation is written like that, or it was revoked or has expired.")])


async def ask(guest: Guest) -> Response:
    if isinstance(guest, Visit):
        return guest.go(within(guest.query.get("next", "/")))
    return guest.html("session/sign_in.html", next=within(guest.query.get("next", "/")))


async def sign_in(guest: Guest) -> Response:
    """With the token that was typed."""
    form, control = await guest.form(), guest.control
    after = within(form.text("next"))
    token = control.keyring.known(form.text("token").encode())
    if token is None or token.expired(instants.now()):
        control.keyring.refused("control")
        return guest.html("session/sign_in.html", 401, next=after, faults=_REFUSED)
    begun = await service.begin(control, token, service.new_id())
    return welcome(guest, begun, after)


def welcome(guest: Guest, session: service.Session, after: str = "/") -> Response:
    """Leads somebody on who has just signed in."""
    answer = guest.go(after)
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
