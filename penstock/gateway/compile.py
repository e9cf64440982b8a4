"""Settings and ports become gateways that only have to run: where features meet.

A stage that is off is a null object chosen here, never an ``if`` on the line.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock.core.budget import Budget
from penstock.core.settings import GatewaySettings
from penstock.features.ask_usage import AskUsage, NullAskUsage
from penstock.features.auth import Auth
from penstock.features.cache import Cache, NullCache
from penstock.features.calls import Calls
from penstock.features.dlp import Dlp, NullDlp
from penstock.features.guard import Guard, NullGuard
from penstock.features.intake import Intake
from penstock.features.limits import Limits, NullLimits
from penstock.features.meter import Meter
from penstock.features.policies import NullPolicies, Policies
from penstock.features.routing import NativeRouting, Routing
from penstock.features.spend import NullSpend, Spend
from penstock.ports.transport import Transport
from penstock.providers import catalog
from penstock.providers.prices import PriceBook
from penstock.providers.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Parts:
    """What all gateways of a process share."""

    transport: Transport
    upstreams: Mapping[str, Upstream]
    prices: PriceBook
    tokens: Mapping[bytes, str]  # SHA-256 of our tokens -> token id
    first_byte: float  # seconds a provider may take to its first byte
    keep: int  # bytes of a body that the log may hold
    answers: Budget  # bytes that answers may hold while they run


@dataclass(slots=True)
class CompiledGateway:
    """The stages of one gateway, in running order, and what the log does with its calls."""

    auth: Auth
    routing: Routing
    limits: Limits
    intake: Intake
    cache: Cache
    policies: Policies
    spend: Spend
    dlp: Dlp
    guard: Guard
    ask_usage: AskUsage | NullAskUsage
    calls: Calls
    meter: Meter
    collect_logs: bool
    collect_log_payloads: bool


def compile_gateway(settings: GatewaySettings, parts: Parts) -> CompiledGateway:
    """One gateway, ready to run."""
    payloads = settings.collect_logs and settings.collect_log_payloads
    return CompiledGateway(
        auth=Auth(parts.tokens),
        routing=NativeRouting(parts.upstreams),
        limits=NullLimits(),
        intake=Intake(),
        cache=NullCache(),
        policies=NullPolicies(),
        spend=NullSpend(),
        dlp=NullDlp(),
        guard=NullGuard(),
        ask_usage=AskUsage() if settings.ask_usage else NullAskUsage(),
        calls=Calls(parts.transport, parts.first_byte),
        meter=Meter(parts.prices, parts.keep if payloads else 0, parts.answers),
        collect_logs=settings.collect_logs,
        collect_log_payloads=payloads,
    )


def upstreams(overrides: Mapping[str, str]) -> dict[str, Upstream]:
    """Every provider of the catalogue under its id and aliases, at its own address or the operator's.

    Raises ValueError for an override of a provider that the catalogue does not have, or that is no address.
    """
    rows = catalog.load()
    if unknown := overrides.keys() - rows.keys():
        known = ", ".join(sorted(rows))
        raise ValueError(f"providers.{min(unknown)}: there is no such provider; known are {known}")
    given = {rows[slug].id: url for slug, url in overrides.items()}
    compiled = {row.id: Upstream(row, given.get(row.id)) for row in rows.values()}
    return {slug: compiled[row.id] for slug, row in rows.items()}
