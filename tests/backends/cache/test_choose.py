"""Which store the settings ask for."""

import dataclasses
from typing import Any

import pytest

from penstock.backends.cache.choose import cache_store
from penstock.backends.redis_link import RedisLink
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks


@pytest.mark.parametrize(
    ("asked", "redis", "kind"),
    [
        ("", False, "MemoryCache"),
        ("", True, "RedisCache"),
        ("memory", True, "MemoryCache"),
        ("sqlite", True, "SqliteCache"),
        ("redis", True, "RedisCache"),
    ],
)
def test_the_setting_decides_and_else_whether_there_is_a_redis(asked, redis, kind, tmp_path):
    settings = dataclasses.replace(Settings(), cache_store=asked, data_dir=tmp_path, cache_size=7, cache_answer_size=5)
    link = RedisLink(Tasks(), "redis://x", "the cache") if redis else None
    made: Any = cache_store(settings, link, Tasks())
    assert type(made).__name__ == kind
    assert (made._index.limit, made._largest) == (7, 5)
