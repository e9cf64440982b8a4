"""Questions to the identity provider: bounded in size and time, and no redirect is followed."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from penstock.core import codec
from penstock.core.errors import PenstockError
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from penstock.ports.transport import Transport

PATIENCE = 10.0  # seconds for all of one
LARGEST = 1 << 18  # bytes of an answer

_object = codec.decoder(dict[str, Any]).decode


class Unusable(Exception):
    """What the identity provider answers, or does not. The message, for the operator, holds no secret."""


class Answer(NamedTuple):
    status: int
    said: dict[str, Any]


async def ask(
    transport: Transport, url: str, *, trusted: bool, form: Mapping[str, str] | None = None, authorization: str = ""
) -> Answer:
    """Gets an object, or posts a form and gets one. ``trusted``: the address is the operator's. Raises Unusable."""
    asking = _asking(url, trusted=trusted)
    if form is not None:
        asking.method, asking.body = b"POST", urlencode(form).encode()
        asking.put(b"content-type", b"application/x-www-form-urlencoded")
    if authorization:
        asking.put(b"authorization", authorization.encode())
    try:
        async with asyncio.timeout(PATIENCE):
            status, body = await _got(transport, asking)
    except TimeoutError:
        raise Unusable(f"{_shown(url)} took longer than {PATIENCE:.0f} seconds") from None
    except PenstockError as error:
        raise Unusable(f"{_shown(url)}: {error}") from None
    try:
        return Answer(status, _object(body))
    except codec.DecodeError:
        raise Unusable(f"{_shown(url)} answered {status} and no JSON object") from None


async def _got(transport: Transport, asking: Outgoing) -> tuple[int, bytes]:
    reply = await transport.send(asking, 2 * PATIENCE)  # our own patience ends before
    whole = _Whole(f"{_shown(asking.host.decode())} answered more than {LARGEST} bytes")
    try:
        reply.body.send_to(whole)
        return reply.status, await whole.ended
    finally:
        reply.body.close()


class _Whole:
    """Takes a whole body."""

    def __init__(self, too_large: str) -> None:
        self.ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._data = bytearray()
        self._too_large = too_large

    def on_frame(self, data: bytes) -> None:
        if len(self._data) + len(data) > LARGEST:
            self._end(Unusable(self._too_large))
        elif not self.ended.done():
            self._data += data

    def on_end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(bytes(self._data))

    def on_error(self, error: PenstockError) -> None:
        self._end(error)

    def _end(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


def _asking(url: str, *, trusted: bool) -> Outgoing:
    """Raises Unusable for what is no address."""
    try:
        place = urlsplit(url)
        port = place.port
        host = place.netloc.encode("ascii")
        target = (place.path or "/").encode("ascii"), (f"?{place.query}" if place.query else "").encode("ascii")
    except (ValueError, UnicodeEncodeError):
        raise Unusable(f"{_shown(url)} is no address") from None
    if place.scheme not in {"https", "http"} or not place.hostname or "@" in place.netloc:
        raise Unusable(f"{_shown(url)} is no address")
    if any(byte <= 0x20 or byte == 0x7F for part in (host, *target) for byte in part):  # noqa: PLR2004  none in a head
        raise Unusable(f"{_shown(url)} is no address")
    tls = place.scheme == "https"
    asking = Outgoing(Origin(tls, place.hostname, port or (443 if tls else 80), trusted), b"GET", host, *target)
    asking.put(b"accept", b"application/json")
    asking.put(b"accept-encoding", b"identity")
    return asking


def _shown(url: str) -> str:
    """An address on one line."""
    return ascii(url[:200]).strip("'")
