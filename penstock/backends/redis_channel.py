"""A channel of Redis: what is told there, from now on and whenever Redis is back."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE = 2.0  # seconds that Redis has to answer
HEARTBEAT = 10.0  # seconds of silence after which a listener asks whether Redis is still there
BACK_OFF = (0.1, 5.0)  # seconds before Redis is tried again: at first, and at most


async def listen(
    url: str,
    name: str,
    *,
    listening: Callable[[], Awaitable[None]],
    heard: Callable[[bytes], None],
    away: Callable[[Exception], None],
    heartbeat: float = HEARTBEAT,
) -> None:
    """Never returns. ``listening`` is called each time that it begins to, with what was told before that unheard;
    ``away`` each time that Redis cannot be used, or ``listening`` raised. ``url`` as in the setting ``redis_url``.
    """
    least, most = BACK_OFF
    wait = least / 2
    while True:
        client, began = connect_to(url), math.inf
        try:
            async with client.pubsub() as channel:
                await _subscribe(channel, name)
                await listening()
                began = time.monotonic()
                await _hear(channel, heard, heartbeat)
        except Exception as error:  # noqa: BLE001  its library raises errors of many kinds, the system's among them
            away(error)
        finally:
            await client.aclose()
        wait = least if time.monotonic() - began > most else min(most, 2 * wait)
        await asyncio.sleep(wait)


def connect_to(url: str) -> Any:  # the library's own types leave most open
    """A client of its own, which connects when it is first asked something, and never tries twice."""
    from redis.asyncio import Redis  # noqa: PLC0415  by need
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    make: Any = getattr(Redis, "from_url")  # noqa: B009
    return make(url, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0))


def in_words(error: Exception) -> str:
    """Why Redis cannot be used."""
    return f"{error}" or ("it does not answer" if isinstance(error, TimeoutError) else type(error).__name__)


async def _subscribe(channel: Any, name: str) -> None:
    """Returns when Redis has confirmed it: from then on nothing that is told is missed."""
    async with asyncio.timeout(PATIENCE):
        await channel.subscribe(name)
        if await channel.get_message(timeout=PATIENCE) is None:
            raise TimeoutError


async def _hear(channel: Any, heard: Callable[[bytes], None], heartbeat: float) -> None:
    """Until the connection is no good, which raises."""
    asked = False  # whether Redis is there
    while True:
        message = await channel.get_message(timeout=PATIENCE if asked else heartbeat)
        if message is not None:
            asked = False
            if message["type"] == "message":
                heard(message["data"])
        elif asked:
            raise TimeoutError
        else:
            await channel.ping()
            asked = True
