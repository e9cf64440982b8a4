"""What the stages of one gateway are compiled from. Defaults act where a gateway's owner said nothing."""

from dataclasses import dataclass

from penstock.features.spend.rules import Rule
from penstock.model.credential import StoredKey
from penstock.model.money import Budget
from penstock.model.options import ONCE, Retry
from penstock.model.route import Route
from penstock.ports.counters import RateLimit
from penstock.providers.custom import Custom


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """One gateway's settings in the form the compiler takes; wire names and ranges stand in the resource's schema."""

    number: int  # never given to another gateway: what belongs to this one is found by it
    account: str
    id: str
    authentication: bool = False
    analytics_metadata_keys: tuple[str, ...] = ()  # that roll-ups tell apart
    collect_logs: bool = True
    collect_log_payloads: bool = True
    log_redact: tuple[str, ...] = ()  # paths of values that the log must not store
    ask_usage: bool = True
    cache_ttl: int = 0  # seconds; 0: only calls that bring a key of their own are cached
    cache_streams: bool = True
    cache_generation: int = 0  # what was cached under another one is not found any more
    limit: RateLimit | None = None
    spend: tuple[Rule, ...] = ()
    account_budget: Budget | None = None  # of all calls of its account
    retry: Retry = ONCE
    keys: tuple[StoredKey, ...] = ()
    byok_only: bool = False  # no key of the operator's travels,
    byok_only_of: frozenset[str] = frozenset()  # or none for these providers
    zdr: bool = False  # providers are asked not to keep requests, where a key of the operator's travels
    routes: tuple[Route, ...] = ()  # that are deployed
    customs: tuple[Custom, ...] = ()  # of its account
    credit: int | None = None  # nano-dollars that the account was ever given; None: it is charged afterwards
