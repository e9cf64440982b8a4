"""Stores of cached answers, each by its kind, and answers to keep there."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from penstock.backends.cache.index import Index
from penstock.backends.cache.memory import MemoryCache
from penstock.backends.cache.redis import RedisCache
from penstock.backends.cache.sqlite import SqliteCache
from penstock.backends.redis_link import RedisLink
from penstock.core import instants
from penstock.core.tasks import Tasks
from penstock.ports.cache_store import CachedAnswer, CacheStore
from tests.kit.several import CACHE

KINDS = ("memory", "sqlite", "redis")


def an_answer(text: bytes = b"hello", made_at: int | None = None, *, stream: bool = False) -> CachedAnswer:
    """Ten bytes, if nothing is said."""
    made_at = instants.now() if made_at is None else made_at
    return CachedAnswer(200, [(b"content-type", b"text/plain")], [text, text], stream, made_at, 3, 4, 5)


@asynccontextmanager
async def a_store(
    kind: str, folder: Path, *, limit: int = 100_000, largest: int = 50_000, url: str = "", installation: str = ""
) -> AsyncGenerator[Any]:
    """A store that has started. ``url``: of a Redis that is not the one all tests share."""
    tasks, index = Tasks(), Index(limit)
    link: RedisLink | None = None
    store: CacheStore
    if kind == "memory":
        store = MemoryCache(index, largest)
    elif kind == "sqlite":
        store = SqliteCache(folder / "cache.db", index, largest, tasks)
    else:
        url = url or os.environ[CACHE]
        link = RedisLink(tasks, url, "the cache")
        await link.start(installation)
        store = RedisCache(link, url, index, largest, tasks)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()
        if link is not None:
            await link.stop()
        await tasks.stop()
