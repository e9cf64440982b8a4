"""What all measurements of one run share: the private folder, the servers, the rounds, the watch over the machine."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from bench import targets
from bench.machine import Quiet
from bench.procs import Server
from penstock.storage import opening

T = TypeVar("T")


@dataclass
class Session:
    """One run of the benchmark. Servers start when first asked for and end with the run."""

    folder: Path
    stack: ExitStack
    quiet: Quiet
    say: Callable[[str], None]
    rounds: int = 5
    seconds: float = 3
    soak: int = 1_000_000
    log_rows: int = 10_000_000
    failures: list[str] = field(default_factory=list[str])
    fleet: targets.Fleet | None = None  # what our servers share; None: one process and SQLite

    @cached_property
    def upstream(self) -> Server:
        """Answers 1 KB at once."""
        return targets.started(self.stack, targets.answering_nginx(self.folder))

    @cached_property
    def nginx(self) -> Server:
        """The reference, before the upstream."""
        return targets.started(self.stack, targets.passing_nginx(self.folder, self.upstream.port))

    @cached_property
    def bare(self) -> Server:
        """Bare forwarding in Python, before the upstream."""
        return targets.started(self.stack, targets.bare(self.folder, self.upstream.port))

    @cached_property
    def penstock(self) -> Server:
        """Penstock with one provider and some gateways, before the upstream; data in ``<folder>/penstock``."""
        return self.serving("penstock", targets.config(self.upstream.port))

    def serving(self, name: str, text: str, gateways: Mapping[str, Mapping[str, Any]] = targets.GATEWAYS) -> Server:
        """A Penstock with this configuration file, listening."""
        return targets.started(self.stack, targets.penstock(self.folder, name, text, gateways, self.fleet))

    def store(self, server: Server) -> str:
        """The URL of the database of a Penstock of this run."""
        return self.fleet.database if self.fleet else opening.url_in(self.folder / server.name)

    @contextmanager
    def alone(self, fleet: targets.Fleet | None = None) -> Iterator["Session"]:
        """A part of the run with servers of its own, ended with the part, so that no idle one is left beside it."""
        folder = self.folder / f"part-{len(list(self.folder.glob('part-*')))}"
        folder.mkdir()
        with ExitStack() as stack:
            shared = fleet or self.fleet
            yield replace(self, folder=folder, stack=stack, fleet=shared)

    def interleaved(self, measured: Sequence[Callable[[], T]]) -> list[list[T]]:
        """Runs all in turn, round after round, and gives the results per callable.

        Each round starts with another one, so that none always follows the same neighbour.
        """
        results: list[list[T]] = [[] for _ in measured]
        for turn in range(self.rounds):
            self.say(f"  round {turn + 1} of {self.rounds}")
            order = list(range(len(measured)))
            shift = turn % len(order)
            for at in order[shift:] + order[:shift]:
                with self.quiet.round():
                    results[at].append(measured[at]())
        return results
