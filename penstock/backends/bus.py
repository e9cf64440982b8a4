"""The bus over Redis: one channel, whose messages say nothing but that they came."""

import asyncio
from collections.abc import Callable

from penstock.backends import redis_channel
from penstock.backends.redis_channel import HEARTBEAT, PATIENCE, connect_to, in_words
from penstock.core.logs import log
from penstock.core.tasks import Tasks
from penstock.ports.bus import Bus, BusUnavailable

CHANNEL = "penstock:configuration"


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
            raise BusUnavailable(f"redis_url: Redis cannot be used: {in_words(error)}") from error

    def announce(self) -> None:
        self._tasks.start("announcement", self._publish())

    async def listen(self, heard: Callable[[], None]) -> None:
        async def listening() -> None:
            self._is_away("")
            heard()  # there may have been something while nobody listened

        await redis_channel.listen(
            self._url,
            CHANNEL,
            listening=listening,
            heard=lambda _: heard(),
            away=lambda error: self._is_away(in_words(error)),
            heartbeat=self._heartbeat,
        )

    async def _publish(self) -> None:
        try:
            await self._command("PUBLISH", CHANNEL, b"")
        except Exception as error:  # noqa: BLE001  as in reach
            self._is_away(in_words(error))

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
