"""One request as received."""

from penstock.core.headers import Headers
from penstock.model.body import RequestBody
from penstock.model.usage import Asked

NOTHING_ASKED = Asked()


class Request:
    """A data-plane request. ``path`` is what follows the provider, still encoded, without the leading slash."""

    __slots__ = ("account", "asked", "body", "gateway", "headers", "http10", "method", "path", "provider", "query")

    def __init__(self, method: bytes, headers: Headers, body: RequestBody, *, http10: bool = False) -> None:
        self.method = method
        self.headers = headers
        self.body = body
        self.http10 = http10
        self.account = ""
        self.gateway = ""
        self.provider = ""
        self.path = b""
        self.query = b""  # without the question mark; empty when there is none
        self.asked = NOTHING_ASKED

    def header(self, name: bytes) -> bytes | None:
        """The first value under a lower-case name."""
        for lower, _, value in self.headers:
            if lower == name:
                return value
        return None
