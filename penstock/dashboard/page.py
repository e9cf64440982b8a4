"""How an address of the dashboard becomes a page: who is signed in, what they may, and what a refusal looks like."""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from fastapi import Request, Response
from starlette.routing import Route

from penstock.control.context import Control
from penstock.control.sessions import service as sessions
from penstock.control.sessions.service import Session
from penstock.core.errors import Bug, ControlError, Invalid, NotAuthenticated, NotFound, NotPermitted, PenstockError
from penstock.core.logs import log
from penstock.dashboard import security
from penstock.dashboard.drawn import Drawn
from penstock.dashboard.forms import Wrong
from penstock.dashboard.visit import Guest, Visit
from penstock.storage.errors import StoreUnavailable

SIGN_IN = "/ui/sign-in"
Handler = Callable[[Visit], Awaitable[Response]]
Open = Callable[[Guest], Awaitable[Response]]


def get(path: str, handler: Handler, *scopes: str) -> Route:
    """A page. ``scopes``: permissions, of which the token must have one; none named: any token will do."""
    return _route(path, "GET", _for_visitors(handler, scopes))


def post(path: str, handler: Handler, *scopes: str, shows: Sequence[str] = ()) -> Route:
    """A write. It must come from a page of ours with the token of its session.

    ``shows``: permissions, of which the token must have one to see the page that a wrong form comes back on: a token
    that may write alone is told what is wrong, and not what else stands there.
    """

    async def told(visit: Visit) -> Response:
        answer = await handler(visit)
        if isinstance(answer, Drawn) and answer.faults and not visit.may(*shows):
            raise Invalid(" ".join(answer.faults.all))
        return answer

    return _route(path, "POST", _for_visitors(told, scopes))


def public(path: str, handler: Open, method: str = "GET") -> Route:
    """A page for everybody. The handler gets a Visit where somebody is signed in. A POST must come from here."""

    async def answer(request: Request) -> Response:
        session = await _session(request)
        guest = Guest(request) if session is None else Visit(request, session)
        if method == "POST" and not security.from_here(request):
            return _refused(guest, _ELSEWHERE)
        return await _told(guest, lambda: handler(guest))

    return _route(path, method, answer)


_ELSEWHERE = NotPermitted("This form was not sent from a page of this dashboard. Load the page again, and try again.")
_UNKNOWN = NotPermitted("The page was loaded before you signed in. Load it again, and try again.")


def _for_visitors(handler: Handler, scopes: tuple[str, ...]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            session = await _session(request)
        except StoreUnavailable as error:
            return _refused(Guest(request), error)
        if session is None:
            return _to_sign_in(request)
        visit = Visit(request, session)
        return await _told(visit, lambda: _handled(visit, handler, scopes))

    return answer


async def _handled(visit: Visit, handler: Handler, scopes: tuple[str, ...]) -> Response:
    """Raises NotFound and NotPermitted."""
    _expect_theirs(visit)
    visit.need(*scopes)
    if visit.request.method == "POST":
        await _expect_ours(visit)
    return await handler(visit)


def _expect_theirs(visit: Visit) -> None:
    """Raises NotFound for an address that names a gateway that the token does not open, whether it exists or not."""
    given = (visit.request.path_params, visit.query)
    named = {one.get(name) for one in given for name in ("gateway", "gateway_id")}
    if not all(visit.session.token.opens(gateway) for gateway in named if gateway):
        raise NotFound


async def _expect_ours(visit: Visit) -> None:
    """Raises NotPermitted for a write that another site may have sent."""
    if not security.from_here(visit.request):
        raise _ELSEWHERE
    given = visit.request.headers.get("x-csrf-token") or (await visit.form()).text("csrf")
    if not security.matches(visit.session.id, given):
        raise _UNKNOWN


async def _told(guest: Guest, answer: Callable[[], Awaitable[Response]]) -> Response:
    """The answer, or a page that says why there is none."""
    try:
        return await answer()
    except NotAuthenticated:  # the token was revoked while it was at work
        return _to_sign_in(guest.request)
    except Wrong as wrong:  # what an address asks
        return _refused(guest, Invalid(" ".join(wrong.faults.all)))
    except (ControlError, StoreUnavailable) as error:
        return _refused(guest, error)
    except Exception:  # noqa: BLE001  a fault of ours: it is logged, and the browser gets a page
        log.exception("a page of the dashboard failed: %s", guest.request.url.path)
        return _refused(guest, Bug())


def _refused(guest: Guest, error: PenstockError) -> Response:
    template = "templates/refused_part.html" if guest.partial else "templates/refused.html"
    return guest.html(template, error.status, error=error)


async def _session(request: Request) -> Session | None:
    """Raises StoreUnavailable."""
    control: Control = request.app.state.control
    cookie = request.cookies.get(security.COOKIE)
    found = security.opened(control.vault, cookie) if cookie else None
    return None if found is None else await sessions.current(control, *found)


def _to_sign_in(request: Request) -> Response:
    """The browser comes back to the page once somebody has signed in."""
    guest, here = Guest(request), request.url.path
    if security.COOKIE not in request.cookies and security.followed_from_elsewhere(request):
        return onward(f"{here}?{request.url.query}".rstrip("?"))
    if request.method != "GET" or guest.partial:
        here = "/"
    elif request.url.query:
        here += f"?{request.url.query}"
    answer = guest.go(SIGN_IN if here == "/" else f"{SIGN_IN}?next={quote(here, safe='')}")
    if security.COOKIE in request.cookies:
        security.drop_cookie(answer, security.COOKIE)
    return answer


def onward(address: str) -> Response:
    """A page that leads on by itself: unlike after a redirect, the browser then sends the session's cookie, which it
    keeps back as long as the request was begun by another site.
    """
    return Drawn("templates/onward.html", {"address": address}, 200)


def _route(path: str, method: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
    async def drawn(request: Request) -> Response:
        found = await answer(request)
        if isinstance(found, Drawn):
            try:
                await found.draw()
            except Exception:  # noqa: BLE001  see _told
                log.exception("a page of the dashboard could not be drawn: %s", request.url.path)
                found = Drawn("templates/broken.html", {}, 500)
                await found.draw()
        return found

    return Route(path, drawn, methods=[method], include_in_schema=False)
