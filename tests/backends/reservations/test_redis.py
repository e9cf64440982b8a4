"""Money reserved and spent in Redis, by several processes: against a plain model, and with Redis lost and away."""

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.backends.redis_link import RedisLink
from penstock.backends.reservations import redis
from penstock.backends.reservations.known import Draft, Known
from penstock.backends.reservations.redis import RedisReservations
from penstock.backends.reservations.state import REMEMBERED
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Telemetry
from penstock.model.money import FOREVER, Budget, Claim, Window
from penstock.ports.logsink import NullSink
from penstock.ports.reservations import Held
from tests.kit import services
from tests.kit.several import CACHE
from tests.kit.spending import BUDGETS, CLAIMS, START, Model, mixed

LONGEST = 50.0  # seconds of a call
_names = count(os.getpid() * 1_000_000)  # the server is shared among tests


class Sink(NullSink):
    """As the log does it: what is spent is in the database once its record is written, and a draft until then."""

    def __init__(self, place, sender):
        super().__init__()
        self.place, self.sender, self.queue = place, sender, []

    def pending(self):
        return len(self.queue)

    def take(self, name, claims, amounts, *, draft=False):
        now = self.place.now
        parts = [
            (claim.budget.owner, start := claim.budget.window.bucket(now), claim.budget.window.ends(start), amount)
            for claim, amount in zip(claims, amounts, strict=True)
        ]
        self.queue.append(Draft(name, now if draft else 0, parts))

    def write(self):
        for record in self.queue:
            if record.at:
                self.place.drafts[record.reservation] = record
            else:
                self.place.drafts.pop(record.reservation, None)
                self.place.count(record)
        self.written_rows += len(self.queue)
        self.queue.clear()


class Place:
    """What the processes of an installation share: a clock, a database, and Redis."""

    def __init__(self, url="", policy="count"):
        self.now = START
        self.rows, self.drafts, self.sinks = {}, {}, []
        self.name, self.url, self.policy = f"spending-{next(_names)}", url or os.environ[CACHE], policy
        self.tasks = Tasks()
        self.telemetry = Telemetry()
        self.running = []

    async def load(self):
        rows = [(owner, start, ends, amount) for (owner, start, ends), amount in self.rows.items() if ends > self.now]
        written = {sink.sender: sink.written_rows for sink in self.sinks if sink.written_rows}
        return Known(rows, written, list(self.drafts.values()))

    def count(self, record):
        for *bucket, amount in record.rows:
            self.rows[tuple(bucket)] = self.rows.get(tuple(bucket), 0) + amount

    def keep_up(self, lost):
        """Drafts whose processes have died are written as rows."""
        for name in lost & self.drafts.keys():
            self.count(self.drafts.pop(name))

    async def process(self):
        sink, tasks = Sink(self, b"sender %d" % len(self.sinks)), Tasks()
        self.sinks.append(sink)
        link = RedisLink(tasks, self.url, "limits")
        await link.start(self.name)
        ours = RedisReservations(link, self.policy, self.telemetry, sink, LONGEST, lambda: self.now)
        await ours.start(tasks, self.load)
        self.running.append((ours, sink, link, tasks))
        return ours

    def sink(self, ours):
        return next(sink for one, sink, *_ in self.running if one is ours)

    async def told(self):
        """Returns when Redis knows all. Each process notices another epoch, which takes it a second at most."""
        for ours, *_ in self.running:
            await ours.look([Budget("none", 1, FOREVER)])
            while ours.waiting() or not ours._ready.is_set():
                await asyncio.sleep(0)

    async def crash(self, ours):
        """What was settled was told, and its records are written: both take a moment only."""
        await self.told()
        gone = next(one for one in self.running if one[0] is ours)
        self.running.remove(gone)
        gone[1].write()
        await gone[2].stop()
        await gone[3].stop()

    async def lose(self):
        """Redis forgets all, and each process notices."""
        _, _, link, _ = self.running[0]
        while keys := await link.ask("KEYS", f"{link.prefix}*"):
            await link.ask("DEL", *keys)
        await self.told()

    async def held(self, ours, *budgets):
        await self.told()
        return await ours.look(budgets)


@asynccontextmanager
async def installation(number=1, place=None, **about):
    place = place or Place(**about)
    try:
        yield (place, *[await place.process() for _ in range(number)])
    finally:
        for _, _, link, tasks in place.running:
            with suppress(Exception):
                if keys := await link.ask("KEYS", f"{link.prefix}*"):
                    await link.ask("DEL", *keys)
            await link.stop()
            await tasks.stop()


STEPS = mixed(
    {
        "reserve": (st.integers(0, 1), CLAIMS),
        "settle": (st.integers(0, 1), st.integers(0, 9), st.integers(0, 8)),
        "settle again": (st.integers(0, 1), st.integers(0, 9), st.integers(0, 8)),
        "pass": (st.just(0), st.sampled_from([1, 4000, 11_000, 60_000, 700_000, 80_000_000])),
        "write": (st.integers(0, 1),),
        "upkeep": (st.just(0),),
        "lose": (st.just(0),),
        "crash": (st.integers(0, 1),),
        "limit": (st.just(0), st.integers(0, 2), st.integers(1, 30)),
    }
)


class Shared(Model):
    """The model of two processes. What a dead one had reserved counts as spent when its deadline has passed."""

    def __init__(self, budgets):
        super().__init__(budgets)
        self.by = dict[bytes, tuple[int | None, int, list[int]]]()  # process, deadline and buckets of a reservation
        self.late = dict[bytes, int]()  # when a reservation was counted as spent

    def pass_(self, millis):
        self.now += millis
        for name in [name for name in self.open if self.by[name][1] <= self.now]:
            claims, starts = self.open.pop(name), self.by[name][2]
            self.late[name] = self.now
            for (budget, amount), start in zip(claims, starts, strict=True):
                self.spent.append((budget.owner, start, amount))


async def follow(budgets, steps):
    model = Shared(budgets)
    names = (b"%016d" % number for number in count())
    async with installation(2) as (place, *ours):
        mine = [{}, {}]  # what each has reserved
        ended = [{}, {}]
        for what, who, *about in steps:
            if what == "reserve":
                name, claims = next(names), [Claim(model.budgets[at], amount) for at, amount in about[0]]
                await place.told()
                refused = await ours[who].reserve(name, claims)
                assert (refused and refused.at) == model.refused(claims)
                if refused is None:
                    model.reserve(name, claims)
                    place.sink(ours[who]).take(name, claims, [claim.amount for claim in claims], draft=True)
                    mine[who][name] = claims
                    starts = [claim.budget.window.bucket(model.now) for claim in claims]
                    model.by[name] = who, int(model.now + LONGEST * 1000), starts
                else:
                    assert refused.by == "redis"
                    assert refused.held == Held(*model.held(claims[refused.at].budget))
            elif what == "settle" and mine[who]:
                name = list(mine[who])[about[0] % len(mine[who])]
                if name in model.late and model.now >= model.late[name] + REMEMBERED:
                    continue  # no call takes so long
                claims = ended[who][name] = mine[who].pop(name)
                if name in model.late:
                    for (budget, amount), start in zip(claims, model.by[name][2], strict=True):
                        model.spent.remove((budget.owner, start, amount))  # what was counted in its place
                model.open[name] = claims
                ours[who].settle(name, claims, [about[1]] * len(claims))
                place.sink(ours[who]).take(name, claims, [about[1]] * len(claims))
                model.settle(name, [about[1]] * len(claims))
            elif what == "settle again" and ended[who]:
                name = list(ended[who])[about[0] % len(ended[who])]
                ours[who].settle(name, ended[who][name], [about[1]] * len(ended[who][name]))
            elif what == "pass":
                await place.told()
                model.pass_(about[0])
                place.now = model.now
            elif what == "write":
                place.sink(ours[who]).write()
            elif what == "upkeep":
                place.keep_up({name for name in model.late if model.by[name][0] is None})
            elif what == "lose":
                await place.lose()
            elif what == "crash":
                await place.crash(ours[who])
                for name in mine[who]:
                    model.by[name] = None, *model.by[name][1:]
                mine[who], ended[who] = {}, {}
                ours[who] = await place.process()
            elif what == "limit":
                model.budgets[about[0]] = model.budgets[about[0]]._replace(limit=about[1])
            expected = [Held(*model.held(budget)) for budget in model.budgets]
            for one in ours:
                assert await place.held(one, *model.budgets) == expected, what


@given(BUDGETS, STEPS)
def test_money_is_conserved_whatever_comes_when(budgets, steps):
    """Two processes reserve, settle, crash; records are written late; Redis loses all that it holds."""
    asyncio.run(follow(budgets, steps))


async def test_of_thousands_at_once_exactly_as_many_as_fit_are_let_in_by_all_processes_together():
    async with installation(2) as (_, *ours):
        wide, narrow = Budget("wide", 10**9, FOREVER), Budget("narrow", 700 * 7 + 6, Window("sliding", "month"))
        claims = [Claim(wide, 10), Claim(narrow, 7)]
        told = await asyncio.gather(*(ours[at % 2].reserve(b"%d" % at, claims) for at in range(3000)))
        assert sum(one is None for one in told) == 700
        assert {(one.at, one.held, one.by) for one in told if one} == {(1, Held(0, 4900), "redis")}
        assert await ours[0].look([wide, narrow]) == [Held(0, 7000), Held(0, 4900)]


DAY = Budget("day", 10, Window("fixed", "day"))


async def test_what_was_reserved_and_never_settled_counts_when_its_call_must_have_ended():
    async with installation(2) as (place, one, other):
        assert await one.reserve(b"dies", [Claim(DAY, 4)]) is None
        assert await other.reserve(b"runs", [Claim(DAY, 3)]) is None
        await place.crash(one)
        place.now += round(LONGEST * 1000) - 1
        assert await place.held(other, DAY) == [Held(0, 7)]
        place.now += 1
        assert await place.held(other, DAY) == [Held(7, 0)]
        other.settle(b"runs", [Claim(DAY, 3)], [1])
        assert await place.held(other, DAY) == [Held(5, 0)]


@pytest.mark.parametrize("kept", [[], ["--appendonly", "yes", "--appendfsync", "always"]])
async def test_a_restarted_redis_holds_what_was_spent_before_and_meanwhile(kept):
    """Whether it has kept nothing, or what it had; of one process that still runs, and one that has ended."""
    with services.redis(*kept) as server:
        async with installation(2, url=server.url) as (place, one, other):
            for ours, name, amount in ((one, b"a", 1), (other, b"b", 2)):
                assert await ours.reserve(name, [Claim(DAY, amount)]) is None
                ours.settle(name, [Claim(DAY, amount)], [amount])
                place.sink(ours).take(name, [Claim(DAY, amount)], [amount])
            await place.told()
            assert await one.reserve(b"c", [Claim(DAY, 3)]) is None
            await place.crash(other)
            server.stop()
            assert await one.reserve(b"d", [Claim(DAY, 1)]) is None
            one.settle(b"d", [Claim(DAY, 1)], [1])
            place.sink(one).take(b"d", [Claim(DAY, 1)], [1])
            assert await one.look([DAY]) == [Held(4, 3)]
            server.start()
            while not one._link.up:
                await asyncio.sleep(0.01)
            assert await place.held(one, DAY) == [Held(4, 3)]
            one.settle(b"c", [Claim(DAY, 3)], [3])
            assert await place.held(one, DAY) == [Held(7, 0)]


async def test_what_a_process_could_not_tell_before_it_ended_is_found_at_the_next_start():
    async with installation(2) as (place, one, other):
        await one._link.stop()  # Redis is away for it alone
        one.settle(b"a", [Claim(DAY, 0)], [4])
        place.sink(one).take(b"a", [Claim(DAY, 0)], [4])
        await one.settled()
        place.sink(one).write()
        assert await other.look([DAY]) == [Held(0, 0)]
        place.running = [running for running in place.running if running[0] is other]
        await place.process()
        assert await place.held(other, DAY) == [Held(4, 0)]


async def test_a_process_that_asks_nothing_notices_another_epoch(monkeypatch):
    """What it has reserved counts there as well."""
    monkeypatch.setattr(redis, "LOOK", 0.01)
    async with installation(2) as (_, one, other):
        assert await one.reserve(b"runs", [Claim(DAY, 4)]) is None
        await other._link.ask("DEL", other._state.key)
        while await other.look([DAY]) != [Held(0, 4)]:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("policy", "refused"), [("count", [None, 0, 0]), ("allow", [None] * 3), ("refuse", [0] * 3)])
async def test_without_redis_the_policy_decides_and_is_counted(policy, refused, unused_tcp_port):
    async with installation(policy=policy, url=f"redis://127.0.0.1:{unused_tcp_port}/0") as (place, ours):
        told = [await ours.reserve(b"%d" % at, [Claim(DAY, 7)]) for at in range(3)]
        assert [one and one.at for one in told] == refused
        assert {one.by for one in told if one} <= {policy}
        assert place.telemetry.limits_alone.values == {(policy,): 3}
        ours.settle(b"0", [Claim(DAY, 7)], [5])
        await asyncio.wait_for(ours.settled(), 5)  # a stop waits for no Redis that is away


async def test_without_redis_a_process_counts_on_from_what_it_knows():
    """From the database, from itself, and from what others had spent when it last asked."""
    with services.redis() as server:
        place = Place(url=server.url)
        place.rows["day", DAY.window.bucket(START), DAY.window.ends(START)] = 2
        async with installation(2, place=place) as (_, one, other):
            other.settle(b"a", [Claim(DAY, 0)], [3])
            await place.told()
            assert await one.reserve(b"b", [Claim(DAY, 1)]) is None
            server.stop()
            assert await one.look([DAY]) == [Held(5, 1)]
            refused = await one.reserve(b"c", [Claim(DAY, 5)])
            assert refused is not None
            assert refused.held == Held(5, 1)


async def test_a_call_that_is_cancelled_while_it_reserves_has_reserved_nothing():
    async with installation() as (place, ours):
        task = asyncio.ensure_future(ours.reserve(b"gone", [Claim(DAY, 4)]))
        while not ours._link._asked:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await place.held(ours, DAY) == [Held(0, 0)]


async def test_more_settlements_than_are_kept_are_found_in_the_database(monkeypatch):
    monkeypatch.setattr(redis, "MOST", 5)
    with services.redis() as server:
        async with installation(url=server.url) as (place, ours):
            budget = DAY._replace(limit=100)
            server.stop()
            for at in range(20):
                ours.settle(b"%d" % at, [Claim(budget, 0)], [1])
                place.sink(ours).take(b"%d" % at, [Claim(budget, 0)], [1])
            assert ours.waiting() == 5
            place.sink(ours).write()
            server.start()
            while not ours._link.up:
                await asyncio.sleep(0.01)
            assert await place.held(ours, budget) == [Held(20, 0)]


async def test_what_redis_keeps_goes_by_itself_but_for_what_counts_for_ever():
    async with installation() as (place, ours):
        ever = Budget("ever", 10, FOREVER)
        assert await ours.reserve(b"a", [Claim(DAY, 1), Claim(ever, 1)]) is None
        assert await ours.reserve(b"b", [Claim(DAY, 1), Claim(ever, 1)]) is None
        ours.settle(b"a", [Claim(DAY, 1), Claim(ever, 1)], [1, 1])
        await place.told()
        link, left = ours._link, {}
        for owner in ("day", "ever"):
            for kind in ("spent", "outstanding"):
                left[owner, kind] = await link.ask("PTTL", f"{link.prefix}{kind}:{owner}")
        ends = DAY.window.ends(DAY.window.bucket(START)) - START
        assert left.pop(("ever", "spent")) == -1
        assert all(0 < millis <= ends + REMEMBERED for millis in left.values())
        assert left["day", "spent"] > ends


async def test_refusals_say_what_is_held_and_for_how_long():
    async with installation() as (place, ours):
        sliding = Budget("sliding", 10, Window("sliding", "second", 100))
        for at in range(3):
            ours.settle(b"%d" % at, [Claim(sliding, 0)], [3])
            await place.told()
            place.now += 10_000
        refused = await ours.reserve(b"more", [Claim(sliding, 4)])
        assert refused is not None
        assert refused.held == Held(9, 0)
        assert refused.by == "redis"
        assert place.telemetry.reservations_refused.values == {(): 1}
        place.now += round(refused.wait * 1000) - 1
        assert await ours.reserve(b"early", [Claim(sliding, 4)])
        place.now += 1
        assert await ours.reserve(b"in time", [Claim(sliding, 4)]) is None


async def test_a_key_that_holds_something_else_is_no_reason_to_fail():
    async with installation() as (place, ours):
        await ours._link.ask("SET", f"{ours._link.prefix}spent:day", "strange")
        assert await ours.reserve(b"a", [Claim(DAY, 1)]) is None
        assert place.telemetry.limits_alone.values == {("count",): 1}
