"""What a Redis server says of itself."""

import asyncio
from typing import Any

PATIENCE = 4.0  # seconds


class RedisUnavailable(Exception):
    """It cannot be used; the message says why. ``refused``: it answered, and will not serve."""

    def __init__(self, reason: str, *, refused: bool) -> None:
        super().__init__(reason)
        self.refused = refused


async def version(url: str) -> str:
    """Its version, such as ``8.0.1``. ``url`` as in the setting ``redis_url``. Raises RedisUnavailable."""
    from redis import exceptions  # noqa: PLC0415  by need
    from redis.asyncio import Redis  # noqa: PLC0415

    kind: Any = Redis  # the library's types are half unknown
    client = kind.from_url(url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
    try:
        async with asyncio.timeout(PATIENCE):
            await client.execute_command("PING")
            about = await client.info("server")
    except (exceptions.ConnectionError, exceptions.TimeoutError, TimeoutError, OSError) as error:
        refused = isinstance(error, exceptions.AuthenticationError)
        raise RedisUnavailable(str(error) or "it does not answer", refused=refused) from error
    except exceptions.RedisError as error:
        raise RedisUnavailable(str(error), refused=True) from error
    finally:
        await client.aclose()
    return str(about.get("redis_version", "of an unknown version"))
