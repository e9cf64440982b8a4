"""A circuit opens exactly at its threshold, and lets one call at a time try again; what is known is bounded."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import KeyLimited, ProviderTimeout
from penstock.core.telemetry import Counter
from penstock.features.routing.health import FAILED, FEW, IDLE, Circuit, Watch, Watches, verdict
from penstock.model.graph import Health, ModelTarget
from penstock.model.plan import Attempt

THREE = Health(3, 0, 60, 10, 30)
HALF = Health(0, 0.5, 60, 4, 30)


def told(circuit, outcomes, now=0.0):
    """One call after another. Returns after how many the circuit is open; 0: it is not."""
    for count, good in enumerate(outcomes, 1):
        circuit.leave(circuit.enter(now), now, good=good)
        if not circuit.lets(now):
            return count
    return 0


@pytest.mark.parametrize(
    ("health", "outcomes", "opens"),
    [
        (THREE, [False] * 2, 0),
        (THREE, [False] * 9, 3),
        (THREE, [False, False, True] * 9, 0),
        (THREE, [False, None, False, None, False], 5),
        (HALF, [False] * 9, 4),
        (HALF, [True, False] * 2, 4),
        (HALF, [True, True, False, True] * 9, 0),
        (Health(3, 0.5, 60, 10, 30), [False] * 9, 3),
        (Health(9, 0.5, 60, 4, 30), [False] * 9, 4),
    ],
)
def test_it_opens_exactly_at_the_threshold(health, outcomes, opens):
    assert told(Circuit(health), outcomes) == opens


def test_failures_leave_the_window_with_time():
    circuit = Circuit(HALF)
    assert not told(circuit, [False] * 3, 0)
    assert not told(circuit, [False] * 3, 61)
    assert told(circuit, [False], 61) == 1


def test_a_pause_ends_with_one_call_and_its_outcome_decides():
    circuit = Circuit(THREE)
    told(circuit, [False] * 3)
    assert circuit.why(18) == "3 failures in a row, tried again in 12 s"
    assert not circuit.lets(29.9)
    probe = circuit.enter(30)
    assert not circuit.lets(30)
    assert circuit.why(30) == "3 failures in a row, just being tried again"
    circuit.leave(probe, 31, good=False)
    assert not circuit.lets(60.9)
    circuit.leave(circuit.enter(61), 61, good=None)
    assert circuit.lets(61)
    circuit.leave(circuit.enter(61), 61, good=True)
    assert told(circuit, [False] * 9, 61) == 3


def test_what_began_before_it_opened_neither_closes_it_nor_makes_the_pause_longer():
    circuit = Circuit(THREE)
    late = [circuit.enter(0) for _ in range(5)]
    for ticket in late[:3]:
        circuit.leave(ticket, 0, good=False)
    circuit.leave(late[3], 29, good=False)
    circuit.leave(late[4], 29, good=True)
    assert not circuit.lets(29)
    assert circuit.lets(30)


STEPS = st.lists(
    st.tuples(st.sampled_from(["enter", "leave", "wait"]), st.integers(0, 9), st.sampled_from([True, False, None])),
    max_size=80,
)


@given(STEPS, st.integers(1, 4))
def test_never_more_than_one_call_tries_again(steps, failures):
    """Against a model that knows the rules and nothing of tickets."""
    circuit = Circuit(Health(failures, 0, 60, 10, 5))
    running, now, row, until, probe = [], 0.0, 0, None, None
    for number, (what, which, good) in enumerate(steps):
        if what == "wait":
            now += which
        elif what == "enter":
            lets = until is None or (now >= until and probe is None)
            assert circuit.lets(now) == lets
            if lets and until is not None:
                probe = number
            running.append((number, circuit.enter(now), until is None))
        elif running:
            began, ticket, counts = running.pop(which % len(running))
            circuit.leave(ticket, now, good=good)
            if began == probe:
                probe = None
                if good:
                    until, row = None, 0
                elif good is False:
                    until = now + 5
                running = [(*call[:2], False) for call in running] if good else running
            elif counts and until is None and good is not None:
                row = 0 if good else row + 1
                if row == failures:
                    until = now + 5
                    running = [(*call[:2], False) for call in running]
        assert circuit.lets(now) == (until is None or (now >= until and probe is None))


def step(*attempts, error=None):
    return SimpleNamespace(attempts=[*attempts], error=error)


def attempt(status=None, error=None, duration=0.0):
    return Attempt("openai", "host", 0.0, duration, status, error)


@pytest.mark.parametrize(
    ("ended", "good"),
    [
        (step(), None),  # from the cache, or it could not be asked
        (step(attempt()), None),  # nobody waited
        (step(attempt(error="timeout"), error=ProviderTimeout()), False),
        (step(attempt(503), attempt(200)), True),
        (step(attempt(200), error=ProviderTimeout()), False),  # an answer that was none
        (step(attempt(200), error=KeyLimited("key")), True),
        *((step(attempt(status)), True) for status in (200, 400, 401, 404, 422)),
        *((step(attempt(status)), False) for status in (408, 429, 500, 503, 529)),
    ],
)
def test_what_counts_as_a_failure(ended, good):
    assert verdict(ended) is good


def asked(watch, *ended, now=0.0):
    for each in ended:
        watch.leave(watch.enter(now), now, each)


def test_the_speed_is_that_of_late_and_failures_are_slow():
    watch = Watch(None)
    asked(watch, step(attempt(200, duration=100)))
    assert watch.seconds == pytest.approx(0.1)
    asked(watch, step(), step(attempt(200, duration=600)))
    assert watch.seconds == pytest.approx(0.2)
    asked(watch, step(attempt(503, duration=1)))
    assert watch.seconds == pytest.approx(0.2 + 0.2 * (FAILED - 0.2))


def test_a_target_that_comes_back_is_as_fast_as_then():
    watch = Watch(THREE)
    asked(watch, *[step(attempt(503))] * 3)
    asked(watch, step(attempt(200, duration=100)), now=31.0)
    assert watch.seconds == pytest.approx(0.1)


def test_elements_with_the_same_target_and_health_share_what_is_known():
    watches, target = Watches(Counter()), ModelTarget("openai", "a", 1)
    one = watches.of(1, target, THREE)
    assert watches.of(1, ModelTarget("openai", "a", 7), Health(3, 0, 60, 10, 30)) is one
    others = [watches.of(2, target, THREE), watches.of(1, target, HALF), watches.of(1, target, None)]
    assert all(other is not one for other in others)


def test_calls_that_are_only_imagined_see_what_is_known_and_change_nothing():
    watches, target = Watches(Counter(), lambda: 0.0), ModelTarget("openai", "a")
    asked(watches.of(1, target, THREE), *[step(attempt(503))] * 2)
    aside = watches.aside(1)
    asked(aside.of(1, target, THREE), step(attempt(503)))
    for place, lets in ((aside, False), (watches, True)):
        circuit = place.of(1, target, THREE).circuit
        assert circuit is not None and circuit.lets(0.0) is lets


def test_targets_that_nobody_asks_any_more_are_forgotten():
    clock = SimpleNamespace(now=0.0)
    watches = Watches(Counter(), lambda: clock.now)
    busy, kept = watches.of(1, ModelTarget("openai", "busy"), None), ModelTarget("openai", "kept")
    busy.enter(0.0)
    for index in range(20 * FEW):
        clock.now += IDLE / FEW
        recent = watches.of(1, kept, None)
        watches.of(1, ModelTarget("openai", f"m{index}"), None)
        assert watches.of(1, kept, None) is recent
    assert len(watches) <= 2 * FEW + 2
    assert watches.of(1, ModelTarget("openai", "busy"), None) is busy
