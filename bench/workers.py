"""Two workers on PostgreSQL and Redis: the same measurements, so that nothing is lost by growing."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench import latency, streaming, targets, throughput
from bench.procs import cpu_us
from bench.session import Session
from bench.table import Table
from bench.throughput import Target, fill, run
from penstock.storage import schema
from tests.kit import services

_KEEPS = ("shared_buffers=256MB",)  # everything else as PostgreSQL comes: what is committed is on the disk


@contextmanager
def fleet(session: Session) -> Iterator[tuple[Session, services.Server]]:
    """A part of the run whose servers are two workers each, and the PostgreSQL they share."""
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(services.postgres(*_KEEPS)), stack.enter_context(services.redis())
        schema.upgrade(postgres.url)
        yield stack.enter_context(session.alone(targets.Fleet(postgres.url, redis.url))), postgres


def measure(session: Session) -> Table:
    """Throughput."""
    table = Table("Throughput, two workers, PostgreSQL and Redis", throughput.HEADING)
    with fleet(session) as (part, postgres):
        ours = part.penstock
        store = part.store(ours)
        plan = [
            Target("nginx proxy_pass, one worker", part.nginx, (targets.DIRECT,)),
            Target("Penstock, log off", ours, (targets.UNLOGGED,)),
            Target("Penstock, log on", ours, (targets.LOGGED,), store),
            Target("Penstock, log and authentication on", ours, (targets.CLOSED,), store, headers=targets.WITH_TOKEN),
        ]
        before = cpu_us(postgres.pid)
        rounds = run(part, plan)
        spent = cpu_us(postgres.pid) - before
        for target, found in zip(plan, rounds, strict=True):
            fill(table, target, found, rounds[0], None)
    calls = sum(one.answered for found in rounds[2:] for one in found)
    table.notes.append(
        f"PostgreSQL's own processes took {spent / calls:.0f} µs more for each call with a row; upstream, load"
        " generator, two workers, two log writers and PostgreSQL share the two cores."
    )
    return table


def prompt(session: Session) -> Table:
    """Added latency of a 100 KB prompt."""
    with fleet(session) as (part, _):
        return _of_two(latency.large(part))


def streams(session: Session) -> Table:
    """Paced streams."""
    with fleet(session) as (part, _):
        return _of_two(streaming.measure(part))


def _of_two(table: Table) -> Table:
    table.title += "; two workers, PostgreSQL and Redis"
    return table
