"""Pauses where an answer comes from while its client, or whoever reads it from the side, is behind."""

import asyncio

from penstock.model.reply import Source


class Pace:
    """The client pauses it in the place of ``source``."""

    __slots__ = ("_behind", "_slow", "_source")

    def __init__(self, source: Source) -> None:
        self._source: Source | None = source
        self._slow = False  # the client is
        self._behind = False  # whoever reads from the side is

    def pause(self) -> None:
        """The client reads slowly."""
        self._slow = True
        if self._source is not None:
            self._source.pause()

    def resume(self) -> None:
        """It reads again."""
        self._slow = False
        self._go_on()

    def fall_behind(self) -> None:
        """Much waits to be read from the side."""
        if not self._behind and self._source is not None:
            self._behind = True
            self._source.pause()

    def catch_up(self) -> None:
        """Little does. The source goes on later, for it may be amid handing on what was just read."""
        if self._behind:
            self._behind = False
            asyncio.get_running_loop().call_soon(self._go_on)

    def close(self) -> None:
        """The call ends."""
        self._source = None

    def _go_on(self) -> None:
        if self._source is not None and not (self._slow or self._behind):
            self._source.resume()
