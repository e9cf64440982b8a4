"""Settings that are well formed and yet cannot act."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from penstock.core.addresses import is_here

if TYPE_CHECKING:
    from penstock.core.settings import Settings


def refusals(settings: "Settings") -> Iterator[str]:
    """Why, a sentence each."""
    postgres = settings.database_url.startswith("postgres")
    if settings.workers > 1 and not (postgres and settings.redis_url):
        yield (
            "workers: more than one share a PostgreSQL database and a Redis server: set database_url and redis_url"
            " (one process alone writes to an SQLite file, and counts in its own memory)"
        )
    if settings.role != "all" and not postgres:
        yield "role: parts in processes of their own share a PostgreSQL database: set database_url"
    if postgres and not settings.master_key:
        yield "master_key: required with PostgreSQL, the same for every process; `openssl rand -hex 32` makes one"
    if settings.cache_store == "redis" and not settings.redis_url:
        yield "cache_store: redis needs a Redis server: set redis_url"
    if settings.cache_store == "sqlite" and (settings.workers > 1 or settings.role != "all"):
        yield "cache_store: sqlite is for one process; several share redis, or have memory each"
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        yield "tls_certificate, tls_key: HTTPS needs both, or neither"
    yield from _unpayable(settings)
    yield from _unsigned(settings)
    if settings.hold_body > settings.buffer_memory * 7 // 24:
        yield "hold_body: must not be larger than 7/24 of buffer_memory, a gateway's share, or no body could be held"


def _unpayable(settings: "Settings") -> Iterator[str]:
    if settings.payments != "stripe":
        return
    for name in ("stripe_secret_key", "stripe_webhook_secret"):
        if not getattr(settings, name):
            yield f"{name}: payments by stripe need it"
    if find_spec("stripe") is None:
        yield "payments: stripe needs its library: install penstock[stripe]"


def _unsigned(settings: "Settings") -> Iterator[str]:
    """Of signing in by OpenID Connect."""
    issuer = urlsplit(settings.oidc_issuer)
    if not settings.oidc_issuer:
        if settings.oidc_client_id or settings.oidc_client_secret or settings.oidc_grants:
            yield "oidc_issuer: the other settings of OpenID Connect do nothing without it"
        return
    if issuer.scheme != "https" and not is_here(issuer.hostname or ""):
        yield "oidc_issuer: must be https, unless it is on this machine: nothing else says who answers there"
    if not settings.oidc_client_id:
        yield "oidc_client_id: needed with oidc_issuer"
    if not settings.oidc_grants:
        yield "oidc_grants: needed with oidc_issuer, in the configuration file: without one nobody may sign in"
    if find_spec("jwt") is None:
        yield "oidc_issuer: OpenID Connect needs its library: install penstock[oidc]"
