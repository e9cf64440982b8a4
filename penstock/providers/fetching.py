"""Images and documents by URL, for providers that take only bytes: fetched before the call, if the operator allows it.

The client chooses the address, so it is judged as any that is set through the API, redirects are not followed, and
everything is bounded.
"""

import asyncio
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from penstock.core.errors import MalformedChat, PenstockError, ProviderFailure
from penstock.model.chat import ChatRequest, Media, Part, Result
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from penstock.ports.transport import Transport

MOST = 16  # addresses of one call
LARGEST = 10 << 20  # bytes of one
PATIENCE = 10.0  # seconds for all of one
_OK = 200
_KEPT = "s3://"  # begins the name of an object that the provider reads itself


class Fetching:
    """``on``: the setting ``fetch_media``."""

    def __init__(self, transport: Transport, *, on: bool) -> None:
        self._transport = transport
        self.on = on

    async def fill(self, request: ChatRequest, kinds: frozenset[str]) -> None:
        """Puts bytes in the place of URLs, for media of these kinds. Raises MalformedChat where one cannot be had."""
        wanted: dict[str, list[Media]] = {}
        for turn in request.turns:
            for part in _media(turn.content):
                if part.url and not part.data and part.kind in kinds and not part.url.startswith(_KEPT):
                    wanted.setdefault(part.url, []).append(part)
        if len(wanted) > MOST:
            raise MalformedChat(f"the messages: more than {MOST} addresses of images and documents are not fetched.")
        for url, (kind, data) in zip(wanted, await asyncio.gather(*map(self._fetch, wanted)), strict=True):
            for part in wanted[url]:
                part.data, part.type, part.url = data, part.type or kind, ""

    async def _fetch(self, url: str) -> tuple[str, str]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._got(_asking(url))
        except TimeoutError:
            raise _cannot(url, f"it took longer than {PATIENCE:.0f} seconds") from None
        except MalformedChat:
            raise
        except PenstockError as error:
            raise _cannot(url, error.message.removeprefix(f"{ProviderFailure.__doc__}: ")) from None

    async def _got(self, asking: Outgoing) -> tuple[str, str]:
        reply = await self._transport.send(asking, PATIENCE)
        whole = _Whole(asking)
        try:
            if reply.status != _OK:
                raise _cannot(whole.url, f"it answered {reply.status}")
            reply.body.send_to(whole)
            data = await whole.ended
        finally:
            reply.body.close()
        kind = (reply.header(b"content-type") or b"").partition(b";")[0].strip().decode("latin-1")
        return kind, b64encode(data).decode()


class _Whole:
    """Takes a whole body."""

    def __init__(self, asking: Outgoing) -> None:
        self.url = f"{asking.host.decode('latin-1')}{asking.path.decode('latin-1')}"
        self.ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._data = bytearray()

    def on_frame(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > LARGEST:
            self.on_error(_cannot(self.url, f"it has more than {LARGEST} bytes"))

    def on_end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(bytes(self._data))

    def on_error(self, error: PenstockError) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


def _media(parts: Iterable[Part]) -> Iterator[Media]:
    for part in parts:
        if isinstance(part, Media):
            yield part
        elif isinstance(part, Result):
            yield from _media(part.content)


def _asking(url: str) -> Outgoing:
    """Raises MalformedChat for what is no address."""
    try:
        place = urlsplit(url)
        port = place.port
        target = (place.path or "/").encode("ascii"), (f"?{place.query}" if place.query else "").encode("ascii")
    except (ValueError, UnicodeEncodeError):
        raise _cannot(url, "it is no address in ASCII") from None
    if place.scheme not in ("https", "http") or not place.hostname or place.username is not None:
        raise _cannot(url, "it must be http or https, without a user")
    tls = place.scheme == "https"
    host = place.netloc.encode("ascii", "replace")
    asking = Outgoing(Origin(tls, place.hostname, port or (443 if tls else 80)), b"GET", host, *target)
    asking.put(b"accept", b"*/*")
    asking.put(b"accept-encoding", b"identity")
    return asking


def _cannot(url: str, why: str) -> MalformedChat:
    return MalformedChat(f"the image or document at {url[:_SHOWN]!r} cannot be fetched: {why}.")


_SHOWN = 200
