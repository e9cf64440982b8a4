"""Which credential a step's request travels with."""

import msgspec

REQUEST, BYOK, WHOLESALE = "request", "byok", "wholesale"


class StoredKey(msgspec.Struct, frozen=True):
    """A key that a gateway has for a provider. ``generation`` is raised when another secret takes its place."""

    id: str
    provider: str  # id; custom-{slug} for an account's own
    alias: str
    default: bool
    secret: str  # empty: it does not open, or is kept elsewhere
    generation: int
    rate_limit: int | None = None  # attempts
    rate_limit_period: int | None = None  # seconds


class Credential(msgspec.Struct, frozen=True):
    """One of ours that was chosen. ``mark`` stands for it in a cache key, in place of the value."""

    source: str  # BYOK, WHOLESALE
    secret: str
    mark: bytes
    alias: str = ""
    key: StoredKey | None = None
