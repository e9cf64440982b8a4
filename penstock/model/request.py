"""One request as received."""

from penstock.core.headers import Headers
from penstock.model.body import RequestBody
from penstock.model.surface import NATIVE
from penstock.model.usage import Asked

NOTHING_ASKED = Asked()


class Request:
    """A data-plane request. ``path`` is what follows the provider, still encoded, without the leading slash."""

    __slots__ = (
        "account",
        "asked",
        "body",
        "client",
        "first",
        "gateway",
        "headers",
        "method",
        "path",
        "provider",
        "query",
        "surface",
        "target",
    )

    def __init__(self, method: bytes, target: bytes, headers: Headers, body: RequestBody) -> None:
        self.method = method
        self.target = target  # as on the request line
        self.headers = headers
        self.body = body
        self.first = {lower: value for lower, _, value in reversed(headers)}  # by lower-case name
        self.client = ""  # address of who sent it; empty: no listener wants it
        self.account = ""
        self.gateway = ""
        self.provider = ""
        self.path = b""
        self.query = b""  # with its question mark; empty when there is none
        self.asked = NOTHING_ASKED
        self.surface = NATIVE

    def copied(self) -> "Request":
        """The same, for a step to change: its members are set anew, never changed in their place."""
        copy = Request.__new__(Request)
        copy.method, copy.target, copy.body, copy.surface = self.method, self.target, self.body, self.surface
        copy.headers, copy.first, copy.client, copy.asked = self.headers, self.first, self.client, self.asked
        copy.account, copy.gateway, copy.provider = self.account, self.gateway, self.provider
        copy.path, copy.query = self.path, self.query
        return copy

    def header(self, name: bytes) -> bytes | None:
        """The first value under a lower-case name."""
        return self.first.get(name)

    def signed(self) -> bool:
        """Whether the client signed it (SigV4, in a header or in the query), so that nothing of it may change."""
        return self.first.get(b"authorization", b"").startswith(b"AWS4-") or b"X-Amz-Signature=" in self.query
