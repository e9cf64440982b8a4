"""Settings and ports become gateways that only have to run: where features meet.

A stage that is off is a null object chosen here, never an ``if`` on the line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from penstock.core.budget import Budget
from penstock.core.key_uses import KeyUses
from penstock.core.retry_budget import RetryBudget
from penstock.core.settings import Settings
from penstock.core.telemetry import Telemetry
from penstock.core.turns import Turns
from penstock.features.ask_usage import AskUsage, NullAskUsage
from penstock.features.auth import Auth, Keyring, OpenAuth
from penstock.features.cache.keeper import Shelf
from penstock.features.cache.stage import AnswerCache, Cache
from penstock.features.calls import Calls
from penstock.features.dlp import Dlp, NullDlp
from penstock.features.guard import Guard, NullGuard
from penstock.features.intake import Intake
from penstock.features.key_gate import KeyGate
from penstock.features.keys import Keys
from penstock.features.limits import Limits, NullLimits, RateLimits
from penstock.features.meter import Meter
from penstock.features.models import Models
from penstock.features.options import Options
from penstock.features.policies import NullPolicies, Policies
from penstock.features.routing import BySurface, Routing
from penstock.features.routing.budgets import Budgets
from penstock.features.routing.health import Watches
from penstock.features.routing.native import NativeRouting
from penstock.features.routing.rest import RestRouting
from penstock.features.routing.unified import Nowhere, UnifiedRouting
from penstock.features.routing.universal import UniversalRouting
from penstock.features.spend.estimate import Estimates
from penstock.features.spend.rules import Rule, Rules
from penstock.features.spend.stage import NullSpend, Purse, Spend, SpendLimits
from penstock.features.token_limits import TokenLimits
from penstock.features.transcript import Transcript
from penstock.features.translation import Translating
from penstock.gateway.config import GatewayConfig
from penstock.model.credential import WHOLESALE, Credential
from penstock.model.options import Retry
from penstock.model.route import Route
from penstock.model.spending import credit_of
from penstock.ports.cache_store import CacheStore
from penstock.ports.counters import Counters
from penstock.ports.reservations import Reservations
from penstock.ports.transport import Transport
from penstock.providers import catalog, custom
from penstock.providers.custom import PREFIX, Custom
from penstock.providers.fetching import Fetching
from penstock.providers.markup import Markup, Markups
from penstock.providers.own_prices import OwnPrices
from penstock.providers.own_prices import read as read_prices
from penstock.providers.prices import PriceBook
from penstock.providers.signing import Signer
from penstock.providers.signing.aws import AwsSigner
from penstock.providers.signing.google import GoogleSigner
from penstock.providers.upstream import Upstream
from penstock.wire.credentials import PLACES


@dataclass(slots=True)
class Parts:
    """What all gateways of a process share. ``stages`` are those that know nothing of their gateway: one of each."""

    transport: Transport
    upstreams: Mapping[str, Upstream]
    prices: PriceBook
    keyring: Keyring
    first_byte: float  # seconds a provider may take to its first byte
    keep: int  # bytes of a body that the log may hold
    answers: Budget  # bytes that answers may hold while they run
    telemetry: Telemetry
    counters: Counters
    reservations: Reservations
    cache: CacheStore
    largest_cached: int  # bytes of an answer
    fetch_media: bool = False  # images by URL, for providers that take only bytes
    key_uses: KeyUses = field(default_factory=KeyUses)
    operators: Mapping[str, Credential] = field(default_factory=dict[str, Credential])  # keys, by provider
    spend_limit_code: int = 2045
    stages: "Stages" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.stages = Stages(self)


class Stages:
    """Stages without a gateway's own state, shared by all: ten thousand gateways are ten thousand small objects."""

    def __init__(self, parts: Parts) -> None:
        places = PLACES.union(
            header.encode() for upstream in parts.upstreams.values() for header in upstream.provider.credential_headers
        )
        self.auth: Mapping[bool, OpenAuth] = {True: Auth(parts.keyring, places), False: OpenAuth(parts.keyring, places)}
        self._options: WeakValueDictionary[tuple[bool, bool, int, Retry, bool, tuple[str, ...]], Options] = (
            WeakValueDictionary()
        )
        self._parts = parts
        self.budgets, self.watches = Budgets(parts.counters), Watches(parts.telemetry.targets_skipped)
        self._plain_routing = self._routing(())
        self._models: WeakValueDictionary[tuple[Custom, ...], Models] = WeakValueDictionary()
        self._plain_models = self.models(())
        self._account_routing: WeakValueDictionary[tuple[Custom, ...], BySurface] = WeakValueDictionary()
        self.limits = NullLimits()
        self.tokens = TokenLimits(parts.counters, parts.telemetry)
        shelf = Shelf(parts.cache, parts.largest_cached, parts.answers, parts.telemetry)
        self.cache: Mapping[bool, Cache] = {on: AnswerCache(shelf, streams=on) for on in (True, False)}
        self._operators = parts.operators
        self._signers: Mapping[str, Signer] = {"aws": AwsSigner(), "google": GoogleSigner(parts.transport)}
        self._keyless: dict[tuple[bool, frozenset[str]], Keys] = {}
        self.policies = NullPolicies()
        self._purse = Purse(parts.reservations, Estimates(parts.prices), parts.spend_limit_code)
        self._spend = NullSpend(self._purse)
        self.dlp = NullDlp()
        self.guard = NullGuard()
        self.ask_usage: Mapping[bool, AskUsage | NullAskUsage] = {True: AskUsage(parts.answers), False: NullAskUsage()}
        self.intake: Mapping[tuple[bool, bool], Intake] = {
            (asks, streams): Intake(
                *(self._without_stored(), self.cache[streams], self.tokens), *([self.ask_usage[asks]] if asks else [])
            )
            for asks in (True, False)
            for streams in (True, False)
        }
        self.calls = Calls(
            *(parts.transport, parts.first_byte, RetryBudget(), parts.telemetry),
            KeyGate(parts.counters, parts.key_uses),
        )
        self.transcript = Transcript(parts.keep, parts.answers, parts.telemetry.unread)
        self.translation = Translating(parts.answers, Fetching(parts.transport, on=parts.fetch_media))
        self.meter = Meter(parts.prices, parts.keep, parts.answers, Turns(), parts.telemetry.unread)

    def routing(self, customs: tuple[Custom, ...]) -> BySurface:
        """The gateways of an account share it, and all of the accounts without providers of their own share one."""
        if not customs:
            return self._plain_routing
        found = self._account_routing.get(customs)
        if found is None:
            found = self._account_routing[customs] = self._routing(customs)
        return found

    def models(self, customs: tuple[Custom, ...]) -> Models:
        """Shared as the routing is."""
        found = self._models.get(customs)
        if found is None:
            found = self._models[customs] = Models(lambda: self.known(customs), self._parts.prices)
        return found

    def known(self, customs: tuple[Custom, ...]) -> Mapping[str, Upstream]:
        """The providers that an account has."""
        return {**self._parts.upstreams, **custom.upstreams(customs)} if customs else self._parts.upstreams

    def _routing(self, customs: tuple[Custom, ...]) -> BySurface:
        parts = self._parts
        native = NativeRouting(self.known(customs), parts.keyring.known)
        unified = UnifiedRouting(native, self.budgets, self.watches)
        universal = UniversalRouting(native, unified, self.auth[False].withheld)
        rest = RestRouting(native, self.budgets, self.watches, parts.prices)
        return BySurface(
            {"native": native, "unified": unified, "universal": universal, "rest": rest, "models": Nowhere()}
        )

    def keys(self, config: GatewayConfig) -> Keys:
        """Gateways without keys of their own share them."""
        only, of = config.byok_only, config.byok_only_of
        if config.keys:
            return Keys(config.keys, self._operators, self._signers, byok_only=only, byok_only_of=of)
        return self._without_stored(only, of)

    def _without_stored(self, only: bool = False, of: frozenset[str] = frozenset()) -> Keys:  # noqa: FBT001, FBT002
        found = self._keyless.get((only, of))
        if found is None:
            found = Keys((), self._operators, self._signers, byok_only=only, byok_only_of=of)
            self._keyless[only, of] = found
        return found

    def spend(self, config: GatewayConfig) -> Spend:
        """Gateways without limits share it."""
        rules, budget = config.spend, config.account_budget
        credit = None if config.credit is None else credit_of(config.account, config.credit)
        if not rules and budget is None and credit is None:
            return self._spend
        if any(rule.providers for rule in rules):
            ids = {slug: upstream.provider.id for slug, upstream in self.known(config.customs).items()}
            rules = tuple(_with_ids(rule, ids) for rule in rules)
        return SpendLimits(self._purse, Rules(config.number, rules), budget, credit)

    def options(self, config: GatewayConfig) -> Options:
        """Gateways whose calls begin with the same share them."""
        log, payloads, rolled = config.collect_logs, config.collect_log_payloads, config.analytics_metadata_keys
        told = (log, payloads, config.cache_ttl, config.retry, config.zdr, rolled)
        found = self._options.get(told)
        if found is None:
            found = self._options[told] = Options(
                collect_logs=log,
                collect_log_payloads=payloads,
                cache_ttl=config.cache_ttl,
                retry=config.retry,
                zdr=config.zdr,
                rolled=rolled,
            )
        return found


@dataclass(slots=True)
class CompiledGateway:
    """The stages of one gateway, in running order. ``number`` is whose the log rows of its calls are.

    What was cached under another ``cache_generation`` is not found any more.
    """

    number: int
    cache_generation: int
    log_redact: tuple[str, ...]
    auth: OpenAuth
    options: Options
    routing: Routing
    limits: Limits
    tokens: TokenLimits
    intake: Intake
    keys: Keys
    cache: Cache
    policies: Policies
    spend: Spend
    dlp: Dlp
    guard: Guard
    ask_usage: AskUsage | NullAskUsage
    calls: Calls
    meter: Meter
    translation: Translating
    transcript: Transcript
    models: Models
    routes: Mapping[str, Route]


def _with_ids(rule: Rule, ids: Mapping[str, str]) -> Rule:
    """A rule whose providers are named by their ids."""
    if rule.providers is None:
        return rule
    return rule._replace(providers=frozenset(ids.get(name) or ids.get(PREFIX + name, name) for name in rule.providers))


_NO_ROUTES: Mapping[str, Route] = {}


def compile_gateway(config: GatewayConfig, parts: Parts) -> CompiledGateway:
    """One gateway, ready to run."""
    shared, limit = parts.stages, config.limit
    return CompiledGateway(
        number=config.number,
        cache_generation=config.cache_generation,
        log_redact=config.log_redact,
        auth=shared.auth[config.authentication],
        options=shared.options(config),
        routing=shared.routing(config.customs),
        limits=shared.limits if limit is None else RateLimits(config.number, limit, parts.counters, parts.telemetry),
        tokens=shared.tokens,
        intake=shared.intake[config.ask_usage, config.cache_streams],
        keys=shared.keys(config),
        cache=shared.cache[config.cache_streams],
        policies=shared.policies,
        spend=shared.spend(config),
        dlp=shared.dlp,
        guard=shared.guard,
        ask_usage=shared.ask_usage[config.ask_usage],
        calls=shared.calls,
        meter=shared.meter,
        translation=shared.translation,
        routes={route.name: route for route in config.routes} if config.routes else _NO_ROUTES,
        transcript=shared.transcript,
        models=shared.models(config.customs),
    )


def own_prices(settings: Settings) -> OwnPrices:
    """The operator's prices. Raises ValueError with a line for each entry of the file that is wrong."""
    return read_prices(settings.prices, catalog.load(), settings.prices_file)


def upstreams(overrides: Mapping[str, str], markups: Sequence[tuple[str, str, float]] = ()) -> dict[str, Upstream]:
    """Every provider of the catalogue under its id and aliases, at its own address or the operator's.

    ``markups`` as ``Settings`` has them. Raises ValueError for an override or a mark-up of a provider that the
    catalogue does not have, or an override that is no address.
    """
    rows = _known(overrides)
    of = {slug: _known({slug: ""})[slug].id for slug, _, _ in markups if slug != "*"}
    given = {rows[slug].id: url for slug, url in overrides.items()}
    compiled = {
        row.id: Upstream(
            row,
            given.get(row.id),
            Markups([Markup(model, percent) for slug, model, percent in markups if of.get(slug, row.id) == row.id]),
        )
        for row in rows.values()
    }
    return {slug: compiled[row.id] for slug, row in rows.items()}


def operators(keys: Mapping[str, str]) -> dict[str, Credential]:
    """The operator's own keys, by id of their provider. Raises ValueError for a provider that the catalogue lacks."""
    rows = _known(keys)
    marked = {rows[slug].id: secret for slug, secret in keys.items()}
    return {name: Credential(WHOLESALE, secret, b"operator:" + name.encode()) for name, secret in marked.items()}


def _known(slugs: Mapping[str, str]) -> Mapping[str, catalog.Provider]:
    rows = catalog.load()
    if unknown := slugs.keys() - rows.keys():
        known = ", ".join(sorted(rows))
        raise ValueError(f"providers.{min(unknown)}: there is no such provider; known are {known}")
    return rows
