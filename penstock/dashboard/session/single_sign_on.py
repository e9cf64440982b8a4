"""Signing in with an identity provider: there, and back (docs/dashboard.md, "OpenID Connect")."""

from fastapi import Response
from fastapi.responses import RedirectResponse

from penstock.control.oidc import service
from penstock.control.oidc.party import Party, Refused
from penstock.core.errors import NoRoute
from penstock.dashboard import security
from penstock.dashboard.page import SIGN_IN, public
from penstock.dashboard.session.view import welcome
from penstock.dashboard.visit import Guest, within

HERE = f"{SIGN_IN}/oidc"
BACK = f"{HERE}/callback"

_COOKIE = "penstock_oidc"  # what must be known of the sign-in when the browser comes back
_SECONDS = 600


async def leave(guest: Guest) -> Response:
    """Leads to the provider."""
    party = _party(guest)
    try:
        begun = await party.begin(guest.control.vault, _back(guest), within(guest.query.get("next", "/"))[:_LONGEST])
    except Refused as refused:
        return _refused(guest, refused)
    answer = RedirectResponse(begun.address, 303, {"cache-control": "no-store"})
    security.lend_cookie(answer, guest.request, _COOKIE, begun.sealed, HERE, _SECONDS)
    return answer


async def come_back(guest: Guest) -> Response:
    party, control = _party(guest), guest.control
    try:
        known = await party.finish(
            control.vault, guest.request.cookies.get(_COOKIE, ""), dict(guest.query), _back(guest)
        )
        session = await service.begin(control, party, known.claims)
    except Refused as refused:
        return _refused(guest, refused)
    answer = welcome(guest, session, known.after, elsewhere=True)
    security.lend_cookie(answer, guest.request, _COOKIE, "", HERE, 0)
    return answer


_LONGEST = 1000  # characters of an address; a cookie has four times as many


def _party(guest: Guest) -> Party:
    """Raises NoRoute where there is none."""
    if guest.control.oidc is None:
        raise NoRoute("Nobody can sign in here with an identity provider: oidc_issuer is not set.")
    return guest.control.oidc


def _back(guest: Guest) -> str:
    """Where the provider leads back to, as it is registered there."""
    return f"{(guest.control.public_url or str(guest.request.base_url)).rstrip('/')}{BACK}"


def _refused(guest: Guest, refused: Refused) -> Response:
    return guest.html("session/not_signed_in.html", refused.status, message=refused.message)


ROUTES = (public(HERE, leave), public(BACK, come_back))
