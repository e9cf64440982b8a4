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
_AGAIN = 0.2  # seconds


def spawn(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> Task:
    """A bare task, for those who keep a reference themselves and let no exception out: the calls.

    They also know their loop: asking for the running one costs a system call (CPython compares process ids).
    """
    return loop.create_task(work)


def unbegun(task: asyncio.Task[Any]) -> bool:
    """Whether a task has not run at all yet. Cancelled now it never would, not even its ``finally``."""
    return inspect.getcoroutinestate(cast("CoroutineType[Any, Any, Any]", task.get_coro())) == inspect.CORO_CREATED


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels them and waits. More than once where need be: a task that is cancelled just when what it awaits has come
    may not notice (``asyncio.wait_for`` before Python 3.12, and what libraries build on it).
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN)


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
        await end(*self._running)

    async def finish(self) -> None:
        """Waits for what runs to come to its own end."""
        while self._running:
            await asyncio.wait(self._running)

    def __len__(self) -> int:
        return len(self._running)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("background task %s failed", task.get_name(), exc_info=error)
