"""The bus over Redis: one channel, whose messages say nothing but that they came."""

import asyncio
from collections.abc import Callable
from typing import Any

from penstock.core.logs import log
from penstock.core.tasks import Tasks
from penstock.ports.bus import Bus, BusUnavailable

CHANNEL = "penstock:configuration"
PATIENCE = 2.0  # seconds that Redis has to answer
HEARTBEAT = 10.0  # seconds of silence after which a listener asks whether Redis is still there
BACK_OFF = (0.1, 5.0)  # seconds before Redis is tried again: at first, and at most


class RedisBus(Bus):
    """``url`` as in the setting ``redis_url``. While Redis is away nothing is said or heard, and that is told once."""

    def __init__(self, tasks: Tasks, url: str, heartbeat: float = HEARTBEAT) -> None:
        self._tasks = tasks
        self._heartbeat = heartbeat
        self._url = url
        self._away = False

    async def reach(self) -> None:
        """Raises BusUnavailable where Redis does not answer."""
        try:
            await self._command("PING")
        except Exception as error:  # its library raises errors of many kinds, the system's among them
            raise BusUnavailable(f"redis_url: Redis cannot be used: {_words(error)}") from error

    def announce(self) -> None:
        self._tasks.start("announcement", self._publish())

    async def listen(self, heard: Callable[[], None]) -> None:
        least, most = BACK_OFF
        wait = least
        while True:
            client = connect_to(self._url)
            try:
                async with client.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    wait = least
                    self._is_away("")
                    heard()  # there may have been something while nobody listened
                    while True:
                        if not await channel.get_message(timeout=self._heartbeat):
                            await channel.ping()
                            if not await channel.get_message(timeout=PATIENCE):
                                raise TimeoutError
                        heard()  # of what was announced, or for nothing, which costs next to nothing
            except Exception as error:  # noqa: BLE001  as in reach
                self._is_away(_words(error))
            finally:
                await client.aclose()
            await asyncio.sleep(wait)
            wait = min(most, 2 * wait)

    async def _publish(self) -> None:
        try:
            await self._command("PUBLISH", CHANNEL, b"")
        except Exception as error:  # noqa: BLE001  as in reach
            self._is_away(_words(error))

    async def _command(self, *words: str | bytes) -> None:
        """On a connection of its own: changes are rare, and one that is kept may be dead when it is wanted."""
        client = connect_to(self._url)
        try:
            async with asyncio.timeout(PATIENCE):
                await client.execute_command(*words)
        finally:
            await client.aclose()

    def _is_away(self, reason: str) -> None:
        """Says it when it becomes so, and when it is over."""
        if reason and not self._away:
            log.warning("Redis cannot be used: changes are noticed up to a second later until it is back: %s", reason)
        elif self._away and not reason:
            log.warning("Redis is back")
        self._away = bool(reason)


def connect_to(url: str) -> Any:  # the library's own types leave most open
    from redis.asyncio import Redis  # noqa: PLC0415  by need
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    make: Any = getattr(Redis, "from_url")  # noqa: B009
    return make(url, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0))


def _words(error: Exception) -> str:
    return f"{error}" or ("it does not answer" if isinstance(error, TimeoutError) else type(error).__name__)
