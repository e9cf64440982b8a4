"""Named background tasks; the only caller of ``create_task``.

A task that nobody awaits is kept alive here, and its failure is logged, never lost.
"""

import asyncio
import inspect
import logging
from collections.abc import Coroutine
from types import CoroutineType
from typing import Any, cast

_log = logging.getLogger("penstock")

Task = asyncio.Task[None]


def spawn(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> Task:
    """A bare task, for those who keep a reference themselves and let no exception out: the calls.

    They also know their loop: asking for the running one costs a system call (CPython compares process ids).
    """
    return loop.create_task(work)


def unbegun(task: asyncio.Task[Any]) -> bool:
    """Whether a task has not run at all yet. Cancelled now it never would, not even its ``finally``."""
    return inspect.getcoroutinestate(cast("CoroutineType[Any, Any, Any]", task.get_coro())) == inspect.CORO_CREATED


class Tasks:
    """The background tasks of one process."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs ``work`` in the background under ``name``."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancels what still runs and waits for it."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._running)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("background task %s failed", task.get_name(), exc_info=error)
