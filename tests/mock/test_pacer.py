import asyncio

from penstock.mock.pacer import Pacer


class Sleeper:
    def __init__(self, woken, name):
        self.tick = 0
        self.woken = woken
        self.name = name

    def wake(self):
        self.woken.append(self.name)


async def test_sleepers_wake_in_the_order_of_their_times_and_forgotten_ones_do_not():
    loop, woken, done = asyncio.get_running_loop(), [], asyncio.Event()
    pacer = Pacer(loop)
    now = loop.time()
    late, early, dropped, past = (Sleeper(woken, name) for name in ("late", "early", "dropped", "past"))
    last = Sleeper(woken, "last")
    last.wake = done.set
    for sleeper, seconds in ((late, 0.02), (early, 0.01), (dropped, 0.01), (past, -1), (last, 0.03)):
        pacer.at(now + seconds, sleeper)
    pacer.forget(dropped)
    pacer.forget(dropped)
    await asyncio.wait_for(done.wait(), 5)
    assert woken == ["past", "early", "late"]
    assert (late.tick, dropped.tick) == (0, 0)
