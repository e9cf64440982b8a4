"""Paced streams: CPU a frame, and whether any stream is kept waiting."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from bench import ledger, payload, streams, targets
from bench.figures import Budget, median, paired_difference, paired_ratio, verdict
from bench.latency import LARGE
from bench.probe import closed_loop, expect
from bench.procs import BenchFault, Server, cpu_us
from bench.session import Session
from bench.table import Table

STREAMS = 500
RAMP = (100, 250, 750, 1000)
BESIDE_LARGE = 100
STALL = 2 * streams.PACE
CPU_RATIO = Budget("≤", 2.5, "× nginx")
ABOVE_BARE = Budget("≤", 10, "µs above bare")
GAP = Budget("≤", STALL, "ms gap p99")
HEADING = (
    "log on",
    "streams",
    "CPU µs/frame",
    "× nginx",
    "above bare",
    "gap p50 ms",
    "gap p99 ms",
    "largest",
    "budget",
    "",
)
PATH = "/openai/chat/completions"


@dataclass(frozen=True)
class Target:
    """Where streams are read from."""

    name: str
    server: Server
    path: str
    store: str | None = None  # its URL, where rows are due
    model: str = payload.MODEL

    def measure(self, count: int = STREAMS, repeats: int = 2) -> "Round":
        """All streams of one order, and the CPU until the last row is written."""
        block = ledger.newest_block(self.store) if self.store else 0
        cpu = cpu_us(self.server.pid)
        found = streams.run(streams.Order(self.server.port, self.path, count, repeats, model=self.model))
        if self.store and (missing := ledger.drain(self.store, block, found.finished).missing):
            raise BenchFault(f"{self.name}: {missing} of {found.finished} streams have no log row")
        return Round((cpu_us(self.server.pid) - cpu) / found.frames, found)


@dataclass(frozen=True)
class Round:
    """``cpu``: microseconds a frame as the client counts them."""

    cpu: float
    read: streams.Read


def measure(session: Session) -> Table:
    """The rounds at 500 streams beside nginx, then more and fewer of them."""
    table = Table(f"Paced streams, {streams.FRAMES} frames each, one every {streams.PACE} ms", HEADING)
    with session.alone() as part:
        upstream = targets.started(part.stack, targets.mock(part.folder))
        nginx = targets.started(part.stack, targets.passing_nginx(part.folder, upstream.port))
        bare = targets.started(part.stack, targets.bare(part.folder, upstream.port))
        ours = part.serving("penstock", targets.config(upstream.port, "/openai"))
        plan = [
            Target("direct to the upstream", upstream, PATH),
            Target("nginx proxy_pass", nginx, PATH),
            Target("bare asyncio forwarding", bare, PATH),
            Target("Penstock", ours, targets.LOGGED, part.store(ours)),
        ]
        for target in plan:
            call = payload.request(target.server.port, target.path, payload.prompt(1))
            expect(target.server.port, call, 200, target.name)
            target.measure(100, 1)
        found = part.interleaved([partial(target.measure) for target in plan])
        cpu = [[one.cpu for one in rounds] for rounds in found]
        for target, rounds in zip(plan, found, strict=True):
            _fill(table, target, STREAMS, rounds, cpu[1], cpu[2])
        for count in RAMP:
            for target in (plan[0], plan[3]):
                session.say(f"  {count} streams, {target.name}")
                _try(table, part, target, count, target.name)
        with prompts(ours.port):
            session.say("  100 KB prompts meanwhile")
            # no waiting for rows, and no CPU: the prompts' own come in between
            beside = Target("Penstock", ours, targets.LOGGED)
            _try(table, part, beside, BESIDE_LARGE, "Penstock, 100 KB prompts meanwhile", GAP)
    table.notes += [
        (
            "A gap is the time between two frames of one stream as its reader gets them, while all streams run;"
            f" a stall is a p99 above {STALL} ms. Upstream, gateway and reader share the two cores: the direct row"
            " shows what of a gap is theirs."
        ),
        "CPU µs/frame: all processes of the target from the first connection to the last log row, by frames read.",
        f"Rows other than those of {STREAMS} streams are one round each.",
        "100 KB prompts: one after another without a pause, on one connection through the same process.",
    ]
    return table


def _try(table: Table, session: Session, target: Target, count: int, name: str, gap: Budget | None = None) -> None:
    """A row of one round; a failure stays visible."""
    try:
        with session.quiet.round():
            found = target.measure(count)
    except BenchFault as fault:
        table.failed(f"{name}, {count} streams", str(fault))
        return
    read = found.read
    table.add(
        name,
        str(count),
        f"{found.cpu:.1f}" if target.store else "",
        "",
        "",
        f"{read.p50:.1f}",
        f"{read.p99:.1f}",
        f"{read.largest:.1f}",
        gap.text() if gap else "",
        verdict((gap, read.p99)),
    )


def _fill(table: Table, target: Target, count: int, rounds: list[Round], nginx: list[float], bare: list[float]) -> None:
    """A row of several rounds."""
    cpu = [one.cpu for one in rounds]
    gap = median([one.read.p99 for one in rounds])
    ratio, above = paired_ratio(cpu, nginx), paired_difference(cpu, bare)
    judged = [(CPU_RATIO, ratio), (ABOVE_BARE, above), (GAP, gap)] if target.store else []
    gateway = target.name != "direct to the upstream"
    table.add(
        target.name,
        str(count),
        f"{median(cpu):.1f}" if gateway else "",
        f"{ratio:.2f}" if gateway else "",
        f"{above:+.1f}" if gateway else "",
        f"{median([one.read.p50 for one in rounds]):.1f}",
        f"{gap:.1f}",
        f"{max(one.read.largest for one in rounds):.1f}",
        ", ".join(budget.text() for budget, _ in judged),
        verdict(*judged),
    )


@contextmanager
def prompts(port: int) -> Iterator[None]:
    """Sends 100 KB prompts one after another during the block. Raises BenchFault at its end when one failed."""
    over = threading.Event()
    faults: list[BaseException] = []
    calls = payload.requests(port, targets.LOGGED, payload.prompts(16, LARGE))

    def send() -> None:
        try:
            while not over.is_set():
                closed_loop(port, calls, 16)
        except (BenchFault, OSError) as fault:
            faults.append(fault)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()
    if faults:
        raise BenchFault(f"a 100 KB prompt failed beside the streams: {faults[0]}")
