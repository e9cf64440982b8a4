"""A browser's question whether a page may send a request (``proxy.cors``)."""

from typing import Protocol

from penstock.core.headers import Headers
from penstock.model.body import RequestBody
from penstock.proxy.plane import Plane
from penstock.proxy.render import status_line


class Owner(Protocol):
    """The client's connection."""

    plane: Plane
    closing: bool  # this answer is the connection's last

    def write(self, data: bytes) -> None: ...
    def answered(self, call: "Preflight") -> None: ...


class Preflight:
    """A pre-flight, answered at once and before anybody is asked who calls: browsers send no credentials with it."""

    __slots__ = ("_gone", "_headers", "_owner", "body", "http10", "last")

    def __init__(self, owner: Owner, method: bytes, url: bytes, headers: Headers, body: RequestBody) -> None:
        self.body = body
        self.http10 = False
        self.last = False
        self._owner = owner
        self._headers = headers
        self._gone = False

    def start(self) -> None:
        """The calls before it on this connection are answered. The parser has yet to say that no body comes."""
        self._owner.plane.loop.call_soon(self._answer)

    def client_gone(self) -> None:
        self._gone = True
        self.body.release()

    def _answer(self) -> None:
        if self._gone:
            return
        owner = self._owner
        owner.closing = owner.closing or not self.body.complete
        lines = b"".join(b"%b: %b\r\n" % pair for pair in owner.plane.cors.grant(self._headers))
        end = b"connection: close\r\n\r\n" if owner.closing else b"\r\n"
        owner.write(status_line(204, b"") + lines + end)
        self.body.release()
        owner.answered(self)
