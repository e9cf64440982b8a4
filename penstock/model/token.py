"""API tokens: what one may do, where and until when. The secret itself is nowhere but with its holder."""

from functools import lru_cache

import msgspec

from penstock.core.patterns import matches
from penstock.model.limits import RateLimit
from penstock.model.money import Budget


class Scope:
    """Permissions, by their names in the API (docs/tokens.md)."""

    READ = "AI Gateway Read"
    METADATA = "AI Gateway Metadata Read"  # the log without bodies
    WRITE = "AI Gateway Write"
    RUN = "AI Gateway Run"
    BILLING = "AI Gateway Billing"  # to say that credit was paid for
    WORKERS = "Workers AI Read"  # counts as RUN for inference on the control plane's address


SCOPES = (Scope.READ, Scope.METADATA, Scope.WRITE, Scope.RUN, Scope.BILLING, Scope.WORKERS)
SHORT = dict(zip(("read", "metadata", "write", "run", "billing", "workers"), SCOPES, strict=True))  # for the operator


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
    budget: Budget | None = None  # what calls with it may cost
    rate_limit: RateLimit | None = None  # how many there may be
    models: tuple[str, ...] | None = None  # the only ones it calls, as patterns of provider/model; None: all

    def is_bound(self) -> bool:
        """Whether what calls with it may do is limited."""
        return self.budget is not None or self.rate_limit is not None or self.models is not None

    def opens(self, gateway: str) -> bool:
        """Whether the token is good for a gateway of its account."""
        return self.gateways is None or gateway in self.gateways

    def expired(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def budget_owner(token: str) -> str:
    """The name under which the budget of the token of that id is counted."""
    return f"token:{token}"


@lru_cache(maxsize=4096)  # holders call the same few models; names are short
def allows(models: tuple[str, ...], providers: tuple[str, ...], model: str) -> bool:
    """Whether one of these patterns has the model of a provider, which has these names. A call without a model may
    be about any, so for ``model`` empty a pattern must have all of them.
    """
    for provider in providers:
        name = f"{provider}/{model or '*'}"
        for pattern in models:
            if matches(pattern, name):
                return True
    return False
