"""Bytes of a connection become the heads and bodies of requests."""

from typing import Protocol

import httptools

from penstock.core.errors import HeadTooLarge, MalformedRequest, PenstockError, UpgradeRequired
from penstock.core.headers import Headers
from penstock.model.body import RequestBody
from penstock.proxy import head, refusal

HEAD_LIMIT = 64 * 1024
SMALL_CHUNKS = 10_000  # of one body; each costs as much as one of any size
CHUNK = 32  # bytes that more chunks than that have in the mean


class Owner(Protocol):
    """The connection."""

    def opened(self) -> None:
        """A head is whole: what the reader has is of it. May give the reader a ``body`` to feed. Raises PenstockError
        where nothing can be made of it.
        """
        ...


class Reader:
    """The requests of one connection, one after another."""

    __slots__ = (
        "_at",
        "_begun",
        "_data",
        "_earlier",
        "_owner",
        "_pieces",
        "_small",
        "_upgrade",
        "body",
        "headers",
        "in_head",
        "parser",
        "size",
        "url",
    )

    def __init__(self, owner: Owner) -> None:
        self.url = b""  # as much of the target as has come
        self.headers: Headers = []
        self.body: RequestBody | None = None  # the one that is arriving
        self._owner = owner
        self.in_head = True  # what comes next belongs to a head; else ``url`` and ``headers`` are of one that is whole
        self.size = 0  # bytes of the head that is arriving; within a body, bytes that are none of it
        self.parser = self._new_parser()  # ask it for what it knows of a head that is whole
        self._upgrade = False
        self._begun = False  # a head is arriving
        self._data: bytes | None = b""  # what is being read
        self._at = 0  # in it, what lies before is of requests that were looked at
        self._pieces: list[bytes] = []  # of the body, out of what is being read
        self._small = 0  # pieces of the body that came together with others
        self._earlier = bytearray()  # of the head that is arriving, what came before that

    def feed(self, data: bytes) -> PenstockError | None:
        """Reads on; returns what makes it impossible to read further. A fault of ours is raised."""
        self.size += len(data)
        self._data, self._at = data, 0
        fault = self._parse(data)
        self._data = b""
        if self._pieces:
            try:
                self._hand_on()
            except PenstockError as error:
                return error
        if self._begun:
            self._earlier += data[-HEAD_LIMIT:]
        return fault

    def _parse(self, data: bytes) -> PenstockError | None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offset:
            end: int = offset.args[0]
        except httptools.HttpParserError as error:
            return self._malformed(error, data)
        else:
            return HeadTooLarge() if self.size > HEAD_LIMIT else None
        return self._without_upgrade(memoryview(data)[end:])  # behind the except: it would hide the causes of others

    def close(self) -> None:
        """Lets go of the parser, which holds this, and of the owner: neither waits for the collector then."""
        self.body = None
        del self.parser, self._owner

    # The parser's callbacks

    def on_message_begin(self) -> None:
        self.url, self.headers, self._upgrade = b"", [], False
        self._begun = True

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_head:  # trailers end here
            self.headers.append((name.lower(), name, value))

    def on_headers_complete(self) -> None:
        if self.size > HEAD_LIMIT and head.size(self.url, self.headers) > HEAD_LIMIT:
            raise HeadTooLarge
        self._begun = False
        if (data := self._data) is not None:  # it is None where the head has been looked at before
            at = data.find(b" %b HTTP/1." % self.url, self._at)
            if at >= 0 and not self._earlier:
                self._at = at + 1
            else:
                self._look_back(data, at)
        if self.parser.should_upgrade():
            self._upgrade = True
            return
        self.in_head = False
        self.size = 0
        self._owner.opened()

    def on_body(self, data: bytes) -> None:
        self.size = 0  # between two pieces of a body, and behind the last one, as little may come as in a head
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        if self._upgrade:
            return
        if self._pieces:
            self._hand_on()
        self._small = 0
        self.in_head = True
        self.size, self.url = 0, b""
        body, self.body = self.body, None
        if body is not None:
            body.finish()

    def _look_back(self, data: bytes, at: int) -> None:
        """Looks for the protocol of a request line that came in pieces, if it is not in ``data``. The parser also reads
        RTSP and ICE, and does not say which it was. Raises MalformedRequest.
        """
        if at < 0 and b" %b HTTP/1." % self.url not in self._earlier + data:
            raise MalformedRequest(head.VERSIONS)
        self._at = max(self._at, at + 1)
        self._earlier.clear()

    def _hand_on(self) -> None:
        """Gives the body what was read of it, at once. Raises MalformedRequest where that is far too many chunks."""
        pieces, self._pieces, body = self._pieces, [], self.body
        if body is None:
            return
        if len(pieces) == 1:
            body.feed(pieces[0])
            return
        self._small += len(pieces)
        body.feed(b"".join(pieces))
        if self._small > SMALL_CHUNKS and body.size < CHUNK * self._small:
            raise MalformedRequest(
                f"Malformed HTTP request: more than {SMALL_CHUNKS} chunks of less than {CHUNK} bytes."
            )

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)  # what follows a last request is dropped
        return parser

    def _without_upgrade(self, rest: memoryview) -> PenstockError | None:
        """The offer to switch protocols is declined: the request is read again as if it had not been made. Where it was
        the beginning of a WebSocket, a plain answer would be none, and the request is refused.
        """
        data = self._data
        while True:
            method = self.parser.get_method()
            if method == b"CONNECT":
                return MalformedRequest("Malformed HTTP request: this is no forward proxy.")
            if head.offers_websocket(self.parser, self.headers):
                self.in_head = False
                return UpgradeRequired()
            declined = self._declined(method)
            self.parser = self._new_parser()
            try:
                self._data = None
                self.parser.feed_data(declined)
                self._data = data
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offset:  # the next one, right behind it: there may be thousands
                rest = rest[offset.args[0] :]
            except httptools.HttpParserError as error:
                return self._malformed(error, bytes(rest))
            else:
                return None

    def _declined(self, method: bytes) -> bytes:
        """The head without its offer."""
        lines = b"".join(b"%b: %b\r\n" % (name, value) for lower, name, value in self.headers if lower != b"upgrade")
        version = self.parser.get_http_version().encode()
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, lines)

    def _malformed(self, error: httptools.HttpParserError, data: bytes) -> PenstockError:
        cause = error.__context__
        if isinstance(error, httptools.HttpParserCallbackError) and not isinstance(cause, PenstockError):
            raise error
        if not self.url and self.size >= len(data):  # all of the data is of this head
            self.url = refusal.url_in(data)
        return cause if isinstance(cause, PenstockError) else MalformedRequest(f"Malformed HTTP request: {error}")
