"""Every setting of the process, as one table: the fields of :class:`Settings`.

A setting is taken from the first place that has it: flag, environment variable (``PENSTOCK_`` and its name),
configuration file, default. All that is wrong is reported together, each line saying what, where and what is allowed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from penstock.core import settings_sections
from penstock.core.options import (
    NETWORKS,
    ORIGINS,
    PATH,
    SIZE,
    SWITCH,
    TEXT,
    URL,
    Network,
    Setting,
    number,
    number_text,
    option,
    pattern,
    seconds,
    server,
)
from penstock.core.settings_reader import Reader
from penstock.core.settings_refusals import refusals
from penstock.core.settings_sections import KEY, OidcGrant

MASK = "********"
PRICES = "prices.toml"
TOKEN = pattern(r"[!-~]{20,}", "20 or more characters, printable, without spaces")
ROLE = pattern(r"all|proxy|control|worker", "all, proxy, control or worker")
DATABASE = server(r"(sqlite:///|postgresql://|postgres://).+", "sqlite:///path or postgresql://user:password@host/name")
REDIS = server(r"(redis|rediss|unix)://.+", "redis://host:6379/0, rediss:// for TLS, or unix:// and a path")
MASTER_KEY = pattern(r"[0-9a-fA-F]{64}", "64 hexadecimal digits; `openssl rand -hex 32` makes such a key")
CACHE_STORE = pattern(r"memory|sqlite|redis", "memory, sqlite or redis")
BILLING = pattern(r"postpaid|prepaid", "postpaid or prepaid")
WITHOUT_REDIS = pattern(r"count|allow|refuse", "count, allow or refuse")
SPEND_CODE = pattern(r"2041|2045", "2041 or 2045")
PAYMENTS = pattern(r"manual|stripe", "manual or stripe")
PERCENT = number_text(r"100|\d{1,2}(\.\d{1,4})?", "a percentage such as 19 or 7.5")
OIDC_SCOPES = pattern(r"(.* )?openid( .*)?", "words with spaces between, openid among them")
EMAIL = pattern(r"[^@\s]{1,64}@[^@\s]{1,255}", "an e-mail address")
ACCOUNT = pattern(r"[0-9a-f]{32}", "32 hexadecimal digits, lower case")


class SettingsError(ValueError):
    """The settings cannot be used. ``problems`` has one line for each thing that is wrong."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The settings of one process. Sizes are bytes, times seconds."""

    host: str = option("127.0.0.1", TEXT, "Address to listen on.")
    port: int = option(8787, number(0, 65535), "Port to listen on; 0 takes any free one.")
    data_dir: Path = option(Path("penstock-data"), PATH, "Directory of the database, the logs and the credentials.")
    config: Path = option(Path("penstock.toml"), PATH, "Configuration file; it may be missing unless you name it.")
    workers: int = option(1, number(1, 64), "Serving processes; more than one needs PostgreSQL and Redis.")
    role: str = option(
        "all",
        ROLE,
        "What runs here: proxy (calls), control (the API), worker (background work), or all. Parts need PostgreSQL.",
    )
    tls_certificate: str = option(
        "", TEXT, "File of the certificate chain (PEM); with it and tls_key, HTTPS is served."
    )
    tls_key: str = option("", TEXT, "File of the certificate's private key (PEM), without a password.")
    public_url: str = option("", URL, "Address under which clients reach the gateway; by default http://host:port.")
    database_url: str = option(
        "",
        DATABASE,
        "Database as postgresql://user:password@host/name or sqlite:///path; by default penstock.db in data_dir.",
        secret=True,
    )
    redis_url: str = option("", REDIS, "Redis server as redis://host:6379/0, for several workers.", secret=True)
    account_id: str = option(
        "", ACCOUNT, "Account id, 32 hex digits; added where it is missing. By default random at the first start."
    )
    api_token: str = option(
        "", TOKEN, "API token; added where it is missing. By default random at the first start.", secret=True
    )
    admin_email: str = option(
        "admin@localhost",
        EMAIL,
        "E-mail stored with the token of the first start, for clients that send X-Auth-Email and X-Auth-Key.",
    )
    metrics_token: str = option(
        "",
        TOKEN,
        "Bearer token that /metrics asks for. Without it, /metrics answers this machine alone.",
        secret=True,
    )
    master_key: str = option(
        "",
        MASTER_KEY,
        "Key that seals stored secrets: 64 hex digits. Required with PostgreSQL; else made in data_dir.",
        secret=True,
    )
    master_key_previous: str = option(
        "",
        MASTER_KEY,
        "The master key before, which still opens what it sealed, until `penstock keys rotate-master` says it may go.",
        secret=True,
    )
    allowed_networks: tuple[Network, ...] = option(
        (), NETWORKS, "Networks that are not public and yet may be called at addresses set through the API."
    )
    fetch_media: bool = option(
        default=False,
        kind=SWITCH,
        sentence="Fetch images and documents by URL for providers that take only bytes, where a call is translated.",
    )
    trusted_proxies: tuple[Network, ...] = option(
        (), NETWORKS, "Proxies in front whose X-Forwarded-For and X-Forwarded-Proto are believed; by default none."
    )
    cors_origins: tuple[str, ...] = option(
        (), ORIGINS, "Origins of web pages that may call the gateway from a browser; * for all, by default none."
    )
    max_connections: int = option(8_000, number(1), "Client connections open at once; more are answered 503.")
    max_calls: int = option(
        5_000,
        number(1),
        "Calls in flight at once; more are answered 503. One gateway has a third of them at most, one account half.",
    )
    max_body: int = option(100_000_000, SIZE, "Largest request body in bytes; larger ones are answered 413.")
    hold_body: int = option(
        1_000_000, SIZE, "Request bodies up to this many bytes are held whole; larger ones stream through."
    )
    buffer_memory: int = option(
        256_000_000,
        SIZE,
        "Bytes of request bodies held at once, over all calls; more are answered 503. One gateway holds a third"
        " of them at most, one account half; an eighth is kept for bodies up to 64 KiB.",
    )
    answer_memory: int = option(
        256_000_000,
        SIZE,
        "Bytes of answers held at once for usage, log and cache, over all calls; beyond, they pass unread. Shared like"
        " buffer_memory.",
    )
    head_timeout: float = option(30.0, seconds(), "Seconds a client has to send a request's head.")
    body_timeout: float = option(
        60.0,
        seconds(),
        "Seconds a client may pause within a request's body; for a body outside the data plane, seconds it has in all.",
    )
    body_time: float = option(
        30.0,
        seconds(),
        "Seconds in which a client must have sent a request's body that is held; one more for each 8 KiB that came.",
    )
    keepalive_timeout: float = option(75.0, seconds(), "Seconds an idle client connection is kept open.")
    write_timeout: float = option(60.0, seconds(), "Seconds a client may leave an answer unread.")
    connect_timeout: float = option(10.0, seconds(), "Seconds a connection to a provider may take to open.")
    first_byte_timeout: float = option(600.0, seconds(), "Seconds a provider has to begin its answer.")
    idle_timeout: float = option(300.0, seconds(), "Seconds a provider may pause within its answer.")
    call_timeout: float = option(3600.0, seconds(), "Seconds a call to a provider may take in all.")
    pool_idle_timeout: float = option(30.0, seconds(), "Seconds an idle connection to a provider is kept open.")
    pool_size: int = option(1024, number(0), "Idle connections kept for each provider origin.")
    stop_timeout: float = option(
        30.0, seconds(zero=True), "Seconds running calls and unwritten logs have to end when the process stops."
    )
    log_queue_rows: int = option(100_000, number(1), "Log rows that may wait to be written; beyond, rows are dropped.")
    log_queue_size: int = option(
        64_000_000,
        SIZE,
        "Bytes of log rows that may wait to be written; beyond, bodies are dropped, and rows beyond twice as many.",
    )
    analytics_minute_days: int = option(62, number(1, 3660), "Days that the roll-ups of each minute are kept.")
    analytics_hour_days: int = option(
        400, number(1, 3660), "Days that the roll-ups of each hour are kept; at least as long as those of minutes."
    )
    analytics_day_days: int = option(
        1_100, number(1, 3660), "Days that the roll-ups of each day are kept; at least as long as those of hours."
    )
    log_body_limit: int = option(
        10_000_000, SIZE, "Largest body in bytes kept with a log row; larger ones are left out."
    )
    refused_rows: int = option(
        10_000,
        number(0),
        "Log rows kept of refused calls, for each gateway and UTC day, and of calls to addresses that do not exist;"
        " more are only counted.",
    )
    cache_store: str = option(
        "",
        CACHE_STORE,
        "Where answers are cached: memory, sqlite (cache.db in data_dir) or redis; by default redis if redis_url is set"
        ", else memory.",
    )
    cache_size: int = option(
        100_000_000, SIZE, "Bytes of cached answers that are kept; beyond, those unused for longest go."
    )
    cache_answer_size: int = option(10_000_000, SIZE, "Largest answer in bytes that is cached.")
    limits_without_redis: str = option(
        "count",
        WITHOUT_REDIS,
        "What rate limits and budgets do while Redis is away: count (each process for itself), allow, or refuse (503).",
    )
    prices_file: str = option(
        "", TEXT, "File of your own prices; by default prices.toml beside the configuration file, if there is one."
    )
    spend_limit_code: str = option("2045", SPEND_CODE, "Error code of an exceeded spend limit; 2041 is the older one.")
    payments: str = option(
        "manual", PAYMENTS, "How credit is paid for: manual (an operator marks a top-up paid) or stripe."
    )
    stripe_secret_key: str = option("", KEY, "Secret key of the Stripe account that is paid.", secret=True)
    stripe_webhook_secret: str = option(
        "", KEY, "Secret that signs Stripe's webhooks to /client/v4/webhooks/stripe.", secret=True
    )
    stripe_base_url: str = option("", URL, "Address of a stand-in for Stripe, for tests; by default Stripe's own.")
    billing_mode: str = option(
        "postpaid",
        BILLING,
        "Calls on the operator's keys are charged to their accounts; prepaid refuses those that credit does not cover.",
    )
    tax_percent: str = option("0", PERCENT, "Tax on what invoices bill, in percent.")
    tax_name: str = option("Tax", TEXT, "What invoices call it.")
    invoice_issuer: str = option(
        "", TEXT, "Who issues invoices, as it stands at their head: name, address, tax number."
    )
    oidc_issuer: str = option(
        "", URL, "Identity provider (OpenID Connect) that people sign in to the dashboard with; needs [[oidc_grants]]."
    )
    oidc_client_id: str = option("", TEXT, "What Penstock is called there.")
    oidc_client_secret: str = option("", KEY, "Its secret there; none where the provider gives none.", secret=True)
    oidc_scopes: str = option("openid email profile", OIDC_SCOPES, "What it is asked for, openid among it.")
    access_log: bool = option(default=False, kind=SWITCH, sentence="Write one line per call to standard error.")
    providers: dict[str, str] = field(default_factory=dict[str, str])  # slug -> base URL
    provider_keys: dict[str, str] = field(default_factory=dict[str, str])  # slug -> the operator's own key
    markups: tuple[tuple[str, str, float], ...] = ()  # provider, pattern of models, per cent
    oidc_grants: tuple[OidcGrant, ...] = ()
    prices: str = ""  # the text of ``prices_file``

    @property
    def named_url(self) -> str:
        """``public_url``, if it says more than ``host`` and ``port`` do; else empty."""
        own = url_of(self.host, self.port, "https" if self.tls_certificate else "http")
        return "" if self.public_url == own else self.public_url

    def __repr__(self) -> str:
        """Secrets are masked, so that a settings object may be logged."""
        shown = {f.name: getattr(self, f.name) for f in fields(self)}
        shown |= {row.name: MASK for row in SETTINGS if row.secret and shown[row.name]}
        shown["provider_keys"] = dict.fromkeys(self.provider_keys, MASK)
        del shown["prices"]  # a file of any length
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


SETTINGS = tuple(
    Setting(f.name, kind, f.default, sentence, secret)
    for f in fields(Settings)
    if "row" in f.metadata
    for kind, sentence, secret in [f.metadata["row"]]
)
_IN_FILE = {row.name: row for row in SETTINGS if row.name != "config"}


def url_of(host: str, port: int, scheme: str = "http") -> str:
    """The address of a listening socket, as a client on this machine writes it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  compared, not bound
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], config_path: Path | None = None, *, serving: bool = True
) -> Settings:
    """Reads the settings. ``flags`` maps setting names to what was given (None: nothing); ``config_path`` goes before
    the ``config`` setting. Not ``serving``: what only a server needs may be missing. Raises SettingsError with
    everything that is wrong.
    """
    reader = Reader(SETTINGS)
    values = reader.environ(environ) | reader.flags(flags)
    path: Path = config_path or values.get("config") or Settings().config
    document = reader.document(path, named=config_path is not None or "config" in values)
    providers, markups = document.pop("providers", {}), document.pop("markups", [])
    grants = document.pop("oidc_grants", [])
    keys = reader.keys(environ)
    values = reader.members(document, _IN_FILE, str(path)) | values
    values["config"] = path
    sections = settings_sections.providers(providers, f"{path}: [providers", reader)
    values["providers"] = {slug: section["base_url"] for slug, section in sections.items() if "base_url" in section}
    values["provider_keys"] = {slug: one["api_key"] for slug, one in sections.items() if "api_key" in one} | keys
    values["markups"] = settings_sections.markups(markups, f"{path}: [[markups]]", reader)
    values["oidc_grants"] = settings_sections.oidc_grants(grants, f"{path}: [[oidc_grants]]", reader)
    values["prices_file"], values["prices"] = reader.prices(values.get("prices_file", ""), path.with_name(PRICES))
    settings = Settings(**values)
    if problems := reader.problems + (list(refusals(settings)) if serving else []):
        raise SettingsError(problems)
    scheme = "https" if settings.tls_certificate else "http"
    return (
        settings if settings.public_url else replace(settings, public_url=url_of(settings.host, settings.port, scheme))
    )
