from typing import Any

from penstock.core.deadlines import NEVER, STEP, Deadlines


class Loop:
    """A loop whose time passes when told: runs the timers that are due."""

    def __init__(self):
        self.now = 100.0
        self.timers = []

    def time(self):
        return self.now

    def call_later(self, delay, callback):
        timer = Timer(self, self.now + delay, callback)
        self.timers.append(timer)
        return timer

    def advance(self, seconds):
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            self.timers.remove(timer)
            self.now = timer.when
            timer.callback()
        self.now = end


class Timer:
    def __init__(self, loop, when, callback):
        self.loop, self.when, self.callback = loop, when, callback

    def cancel(self):
        self.loop.timers.remove(self)


class Waiter:
    def __init__(self, deadline):
        self.deadline = deadline
        self.calls = 0

    def overdue(self):
        self.calls += 1
        self.deadline = NEVER


def test_who_is_overdue_is_told_within_a_step_and_once():
    loop: Any = Loop()
    deadlines = Deadlines(loop)
    waiter, patient = Waiter(loop.now + 1), Waiter(NEVER)
    deadlines.watched |= {waiter, patient}
    loop.advance(1)
    assert waiter.calls == 0
    loop.advance(2 * STEP)
    assert (waiter.calls, patient.calls) == (1, 0)
    loop.advance(10)
    assert (waiter.calls, patient.calls) == (1, 0)


def test_a_deadline_may_move():
    loop: Any = Loop()
    deadlines = Deadlines(loop)
    waiter = Waiter(loop.now + 1)
    deadlines.watched.add(waiter)
    loop.advance(0.9)
    waiter.deadline = loop.now + 2
    loop.advance(1.5)
    assert waiter.calls == 0
    loop.advance(1)
    assert waiter.calls == 1
    waiter.deadline = loop.now + 1
    loop.advance(5)
    assert waiter.calls == 2


def test_who_is_told_may_leave_and_bring_others():
    loop: Any = Loop()
    deadlines = Deadlines(loop)

    class Leaver(Waiter):
        def overdue(self):
            super().overdue()
            deadlines.watched.discard(self)
            deadlines.watched.add(Waiter(NEVER))

    leavers = {Leaver(loop.now) for _ in range(10)}
    deadlines.watched |= leavers
    loop.advance(2 * STEP)
    assert [leaver.calls for leaver in leavers] == [1] * 10
    assert len(deadlines.watched) == 10


def test_now_is_the_time_of_the_last_sweep():
    loop: Any = Loop()
    deadlines = Deadlines(loop)
    loop.advance(3)
    assert loop.now - STEP <= deadlines.now <= loop.now


def test_after_stop_nobody_is_told():
    loop: Any = Loop()
    deadlines = Deadlines(loop)
    waiter = Waiter(loop.now)
    deadlines.watched.add(waiter)
    deadlines.stop()
    loop.advance(5)
    assert (waiter.calls, loop.timers) == (0, [])
