"""What the server has seen: the counters by which tests prove that every upstream was closed."""

from collections.abc import Callable
from typing import Any

MOST_PATHS = 1000


class Stats:
    """Counters since the start or the last reset; ``connections_open`` and ``requests_running`` are as of now.

    requests begun = running + completed + cut (on request) + aborted by peer, as long as nothing was reset.
    """

    __slots__ = (
        "aborted_by_peer",
        "answers_completed",
        "answers_cut",
        "connections_ever",
        "connections_open",
        "paths",
        "requests_begun",
        "requests_running",
        "watchers",
    )

    def __init__(self) -> None:
        self.connections_open = 0
        self.requests_running = 0
        self.watchers: list[Callable[[], None]] = []
        self.reset()

    def reset(self) -> None:
        """Everything but what is open or running starts from 0 again."""
        self.connections_ever = 0
        self.requests_begun = 0
        self.answers_completed = 0
        self.answers_cut = 0
        self.aborted_by_peer = 0
        self.paths: dict[bytes, int] = {}

    def begin(self, target: bytes) -> None:
        """A request head has come."""
        self.requests_begun += 1
        self.requests_running += 1
        path = target.partition(b"?")[0]
        if path not in self.paths and len(self.paths) >= MOST_PATHS:
            path = b"(others)"
        self.paths[path] = self.paths.get(path, 0) + 1
        self.changed()

    def changed(self) -> None:
        """Tells those who wait for a state."""
        if self.watchers:
            for watcher in self.watchers[:]:
                watcher()

    def snapshot(self) -> dict[str, Any]:
        """The counters as plain values."""
        return {
            "connections_open": self.connections_open,
            "connections_ever": self.connections_ever,
            "requests": {path.decode("latin-1"): count for path, count in self.paths.items()},
            "requests_begun": self.requests_begun,
            "requests_running": self.requests_running,
            "answers_completed": self.answers_completed,
            "answers_cut": self.answers_cut,
            "aborted_by_peer": self.aborted_by_peer,
        }
