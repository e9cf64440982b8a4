"""Compiles a gateway's settings, and lists those that are stored but do not act yet."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from penstock.control.gateways.schema import DEFAULT
from penstock.control.gateways.spend_limits import rules
from penstock.control.spending_limit import budget
from penstock.core.codec import decode
from penstock.core.logs import log
from penstock.core.sealing import NotOpened, Vault
from penstock.features.routing.graph.reading import read
from penstock.gateway.config import GatewayConfig
from penstock.model.credential import StoredKey
from penstock.model.graph import Graph, GraphFault
from penstock.model.options import ONCE, Retry
from penstock.model.route import Route
from penstock.ports.counters import RateLimit
from penstock.providers.custom import Custom
from penstock.storage.definitions import Definition
from penstock.storage.provider_keys import KeyRow
from penstock.storage.routes import DeployedRoute

_WORKERS_AI = frozenset({"workers-ai"})
_NOBODY: frozenset[str] = frozenset()


def config(
    definition: Definition, vault: Vault, customs: tuple[Custom, ...] = (), *, prepaid: bool = False
) -> GatewayConfig:
    """The settings that the gateway is compiled from, with defaults for those that were not set.

    ``customs``: those of its account, which its gateways share.
    """
    row = definition.gateway
    get = row.settings.get
    return GatewayConfig(
        row.number,
        row.account,
        row.id,
        authentication=_or(get("authentication"), row.id == DEFAULT),
        analytics_metadata_keys=tuple(dict.fromkeys(get("analytics_metadata_keys") or ())),
        collect_logs=_or(get("collect_logs"), default=True),
        collect_log_payloads=_or(get("collect_log_payloads"), default=True),
        log_redact=tuple(get("log_redact") or ()),
        ask_usage=_or(get("ask_usage"), default=True),
        cache_ttl=get("cache_ttl") or 0,
        cache_streams=_or(get("cache_streams"), default=True),
        cache_generation=row.generation,
        limit=_limit(row.settings),
        spend=rules(get("spend_limits")),
        account_budget=budget(definition.spending_limit) if definition.spending_limit else None,
        retry=_retry(row.settings),
        keys=tuple(_key(row.account, key, vault) for key in _usable(definition)),
        byok_only=_or(get("byok_only"), default=False),
        byok_only_of=_WORKERS_AI if get("workers_ai_billing_mode") == "postpaid" else _NOBODY,
        zdr=_or(get("zdr"), default=False),
        customs=customs,
        credit=definition.credit if prepaid else None,
        routes=tuple(map(_route, definition.routes)),
    )


def _route(row: DeployedRoute) -> Route:
    return Route(row.id, row.name, row.version, *_graph(row.elements))


@lru_cache(maxsize=1024)
def _graph(elements: str) -> tuple[Graph | None, str]:
    """The graph, or why it is none; read once, as versions never change and each element takes tens of microseconds."""
    try:
        return read(decode(elements)), ""
    except GraphFault as fault:
        return None, f"{'.'.join(map(str, fault.path))}: {fault.message}"


def _usable(definition: Definition) -> Iterator[KeyRow]:
    """Its own keys, and for a provider of which it has none those of its store."""
    own = {key.provider for key in definition.keys}
    yield from definition.keys
    yield from (key for key in definition.shared if key.provider not in own)


def _key(account: str, key: KeyRow, vault: Vault) -> StoredKey:
    secret = ""
    if key.secret is not None:
        try:
            secret = vault.open(key.secret, *key_place(account, key.gateway, key.provider, key.alias))
        except NotOpened as error:
            log.error("a stored key cannot be used: %s", error)
    return StoredKey(
        key.id,
        key.provider,
        key.alias,
        key.default_config,
        secret,
        key.generation,
        key.rate_limit,
        key.rate_limit_period,
    )


def key_place(account: str, gateway: int, provider: str, alias: str) -> tuple[str, ...]:
    """What the secret of a stored key is bound to (``core.sealing``)."""
    return "provider_keys", account, str(gateway), provider, alias


def _limit(settings: Mapping[str, Any]) -> RateLimit | None:
    interval, limit = settings.get("rate_limiting_interval"), settings.get("rate_limiting_limit")
    technique = settings.get("rate_limiting_technique") or "fixed"
    return RateLimit(interval, limit, technique) if interval and limit else None


def _retry(settings: Mapping[str, Any]) -> Retry:
    """A delay without a backoff uses the default backoff."""
    delay = settings.get("retry_delay")
    return Retry(
        settings.get("retry_max_attempts") or ONCE.attempts,
        ONCE.delay if delay is None else delay / 1000,
        settings.get("retry_backoff") or ONCE.backoff,
    )


def _or(value: bool | None, default: bool) -> bool:  # noqa: FBT001
    return default if value is None else value


def _set(value: object) -> bool:
    return value is not None


# Settings whose feature is not in this release, each with the test for a value that asks for something.
NOT_YET: dict[str, Callable[[Any], bool]] = {
    "dlp": lambda dlp: dlp["enabled"],
    "guardrails": lambda rails: any(map(_set, [*rails["prompt"].values(), *rails["response"].values()])),
    "log_classification": bool,
    "logpush": bool,
    "logpush_public_key": _set,
    "otel": bool,
    "stripe": lambda stripe: bool(stripe["usage_events"]),
}
STORED_ONLY = 7100  # code of the message that says so


def messages(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages of a write: which of its settings are stored but do not act yet."""
    return [
        {
            "code": STORED_ONLY,
            "message": f"{name} is stored, but does not act in this release.",
            "path": ["body", name],
        }
        for name, asks in NOT_YET.items()
        if settings.get(name) is not None and asks(settings[name])
    ]
