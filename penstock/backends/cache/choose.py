"""Which store the settings ask for."""

from penstock.backends.cache.index import Index
from penstock.backends.cache.memory import MemoryCache
from penstock.backends.redis_link import RedisLink
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks
from penstock.ports.cache_store import CacheStore

FILE = "cache.db"


def cache_store(settings: Settings, link: RedisLink | None, tasks: Tasks) -> CacheStore:
    """``link`` where there is a Redis."""
    index, largest = Index(settings.cache_size), settings.cache_answer_size
    kind = settings.cache_store or ("memory" if link is None else "redis")
    if kind == "redis" and link is not None:
        from penstock.backends.cache.redis import RedisCache  # noqa: PLC0415  by need

        return RedisCache(link, settings.redis_url, index, largest, tasks)
    if kind == "sqlite":
        from penstock.backends.cache.sqlite import SqliteCache  # noqa: PLC0415  by need

        return SqliteCache(settings.data_dir / FILE, index, largest, tasks)
    return MemoryCache(index, largest)
