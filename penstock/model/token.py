"""API tokens: what one may do, where and until when. The secret itself is nowhere but with its holder."""

import msgspec


class Scope:
    """Permissions, by their names in the API (docs/tokens.md)."""

    READ = "AI Gateway Read"
    METADATA = "AI Gateway Metadata Read"  # the log without bodies
    WRITE = "AI Gateway Write"
    RUN = "AI Gateway Run"
    WORKERS = "Workers AI Read"  # counts as RUN for inference on the control plane's address


SCOPES = (Scope.READ, Scope.METADATA, Scope.WRITE, Scope.RUN, Scope.WORKERS)


class Token(msgspec.Struct, frozen=True):
    """A token. ``hash`` is SHA-256 of the secret; times are milliseconds since the epoch."""

    id: str
    account: str
    hash: bytes
    name: str
    scopes: frozenset[str]
    created_at: int
    email: str = ""  # what X-Auth-Email must say beside it; empty: it is no key for that
    gateways: frozenset[str] | None = None  # the only ones it opens; None: all
    expires_at: int | None = None

    def opens(self, gateway: str) -> bool:
        """Whether the token is good for a gateway of its account."""
        return self.gateways is None or gateway in self.gateways

    def expired(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now
