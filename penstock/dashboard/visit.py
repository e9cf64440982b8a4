"""One request of a browser, as a page sees it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from penstock.control.context import Context, Control
from penstock.control.sessions.service import Session
from penstock.core.errors import NotPermitted
from penstock.core.sealing import NotOpened
from penstock.dashboard import navigation, security
from penstock.dashboard.drawn import Drawn
from penstock.dashboard.forms import NO_FAULTS, Faults, Form

_HELD = 20  # seconds within which the page that follows must show what was done


class Guest:
    """Somebody who may not be signed in."""

    signed_in = False

    def __init__(self, request: Request) -> None:
        self.request = request

    @property
    def control(self) -> Control:
        return self.request.app.state.control

    @property
    def query(self) -> Mapping[str, str]:
        """Of the address; of a parameter that came twice, the last."""
        return self.request.query_params

    @property
    def partial(self) -> bool:
        """Whether htmx asks for a part of the page alone."""
        headers = self.request.headers
        return "hx-request" in headers and "hx-history-restore-request" not in headers

    async def form(self) -> Form:
        """The fields that were sent. Raises Invalid."""
        return Form.read(await self.request.body())

    def path(self, name: str) -> str:
        """A part of the address."""
        return self.request.path_params[name]

    def html(self, template: str, status: int = 0, *, faults: Faults = NO_FAULTS, **values: Any) -> Response:
        """A page; ``visit`` is this one. Without a status: 400 where a form has faults, which stand at its fields."""
        return Drawn(template, {"visit": self, "faults": faults, **values}, status or (400 if faults else 200))

    def go(self, address: str) -> Response:
        """Leads the browser on; only ever to a page of ours."""
        if "hx-request" in self.request.headers:
            return Response(status_code=204, headers={"hx-redirect": address})
        return RedirectResponse(address, 303, {"cache-control": "no-store"})


class Visit(Guest):
    """Somebody who is signed in."""

    signed_in = True

    def __init__(self, request: Request, session: Session) -> None:
        super().__init__(request)
        self.session = session

    @property
    def context(self) -> Context:
        """What services are given."""
        return Context(self.control, self.session.token.account, self.session.token)

    @property
    def csrf(self) -> str:
        return security.csrf(self.session.id)

    def may(self, *scopes: str) -> bool:
        """Whether the token has one of these permissions; none named: it may."""
        return not scopes or not self.session.token.scopes.isdisjoint(scopes)

    def need(self, *scopes: str) -> None:
        """Raises NotPermitted where it may not."""
        if not self.may(*scopes):
            raise NotPermitted(f"Your token lacks the permission {' or '.join(scopes)}.")

    @property
    def limited(self) -> bool:
        """Whether the token is good for some gateways alone: then it sees nothing that is the whole account's."""
        return self.session.token.gateways is not None

    @property
    def navigation(self) -> list[tuple[str, list[navigation.Shown]]]:
        return navigation.shown(self.request.url.path, self.may, limited=self.limited)

    def done(self, address: str, sentence: str) -> Response:
        """Leads on to a page that says once what was done."""
        answer = self.go(address)
        sealed = self.control.vault.seal(quote(sentence), "dashboard", "flash", self.session.id)
        security.set_cookie(answer, self.request, security.FLASH, sealed, _HELD)
        return answer

    def html(self, template: str, status: int = 0, *, faults: Faults = NO_FAULTS, **values: Any) -> Response:
        flash = "" if self.partial else self._flash()
        answer = super().html(template, status, faults=faults, **{"flash": flash, **values})
        if flash:
            security.drop_cookie(answer, security.FLASH)
        return answer

    def _flash(self) -> str:
        sealed = self.request.cookies.get(security.FLASH, "")
        try:
            return unquote(self.control.vault.open(sealed, "dashboard", "flash", self.session.id)) if sealed else ""
        except NotOpened:
            return ""


def within(address: str, fallback: str = "/") -> str:
    """The address of a page of ours that a link named, or the fallback: it never leads to another site."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return fallback
    ours = not parts.scheme and not parts.netloc and (parts.path == "/" or parts.path.startswith("/ui/"))
    return address if ours and "\\" not in address else fallback
