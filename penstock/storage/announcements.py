"""The bus over PostgreSQL: whoever changes the configuration notifies in the same transaction."""

import asyncio
from collections.abc import Callable
from typing import Any

from penstock.core.logs import log
from penstock.ports.bus import Bus

CHANNEL = "penstock_configuration"
PATIENCE = 5.0  # seconds that the database has to answer
HEARTBEAT = 30.0  # seconds between two looks whether the connection still lives
BACK_OFF = (0.1, 5.0)  # seconds before the database is tried again: at first, and at most


class Announcements(Bus):
    """Hears what ``configuration.raise_version`` says, on a connection of its own.

    A database that is away is told of by those who read it; here it is only tried again.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def announce(self) -> None:
        """The transaction has said it."""

    async def listen(self, heard: Callable[[], None]) -> None:
        from penstock.storage.postgres import open_connection  # noqa: PLC0415  the driver takes 60 ms to import

        least, most = BACK_OFF
        wait = least
        while True:
            try:
                connection = await open_connection(self._url, reading=False, statement=PATIENCE, answer=PATIENCE)
                try:
                    await _listen(connection, heard)
                    wait = least
                    heard()  # there may have been something while nobody listened
                    await _lost(connection)
                finally:
                    connection.terminate()
            except Exception as error:  # noqa: BLE001  whatever it is, a later try may find it mended
                log.debug("nobody listens for changes of the configuration: %r", error)
            await asyncio.sleep(wait)
            wait = min(most, 2 * wait)


async def _listen(connection: Any, heard: Callable[[], None]) -> None:
    def hear(*_: object) -> None:
        heard()

    await connection.add_listener(CHANNEL, hear)


async def _lost(connection: Any) -> None:
    """Returns or raises when the connection is no good any more."""
    lost = asyncio.Event()

    def lose(_: object) -> None:
        lost.set()

    connection.add_termination_listener(lose)
    while not lost.is_set():
        try:
            async with asyncio.timeout(HEARTBEAT):
                await lost.wait()
        except TimeoutError:
            await connection.execute("SELECT 1")
