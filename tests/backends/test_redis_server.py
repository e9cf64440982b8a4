"""What Redis says of itself, or why it says nothing."""

import os
import re

import pytest

from penstock.backends.redis_server import RedisUnavailable, version

SERVER = "PENSTOCK_TEST_REDIS_URL"


async def test_redis_tells_its_version():
    assert re.fullmatch(r"\d+(\.\d+)+", await version(os.environ[SERVER]))


async def test_a_redis_that_is_not_there_is_no_refusal(unused_tcp_port):
    with pytest.raises(RedisUnavailable) as raised:
        await version(f"redis://127.0.0.1:{unused_tcp_port}/0")
    assert not raised.value.refused


async def test_a_wrong_password_is_a_refusal():
    with pytest.raises(RedisUnavailable) as raised:
        await version(os.environ[SERVER].replace("redis://", "redis://nobody:wrong@"))
    assert raised.value.refused
