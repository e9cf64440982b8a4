"""Which target is asked: by weight or by speed, those that fail last or not at all, each once."""

from collections import Counter as Count
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import InvalidProvider
from penstock.core.telemetry import Counter
from penstock.features.routing.health import Watches
from penstock.features.routing.targets import EXPLORED, turn
from penstock.model.graph import Health, Model, ModelTarget
from penstock.model.plan import Attempt

HEALTH = Health(2, 0, 60, 10, 30)


class Place:
    """Calls to one element, at times that the test says. ``draws`` are used in turn; then 0.5."""

    def __init__(self, *weights, **given):
        targets = tuple(ModelTarget("openai", f"m{at}", weight) for at, weight in enumerate(weights))
        self.model = Model("m", targets, None, 0, "end", None, **given)
        self.now = 0.0
        self.watches = Watches(Counter(), lambda: self.now)

    def turn(self, *draws, last_resort=False):
        drawn = iter(draws)
        return turn(self.model, 1, self.watches, last_resort=last_resort, draw=lambda: next(drawn, 0.5))

    def first(self, *draws):
        return following(self.turn(*draws))

    def asked(self, target, *, status=200, milliseconds=100):
        """A target was asked; how, is not of interest."""
        watch = self.watches.of(1, self.model.targets[target], self.model.health)
        watch.leave(watch.enter(self.now), self.now, ended(status, milliseconds))


def ended(status=200, milliseconds=100) -> Any:
    return SimpleNamespace(attempts=[Attempt("openai", "host", 0, milliseconds, status)], error=None)


def refused() -> Any:
    return SimpleNamespace(attempts=[], error=InvalidProvider("there is no such provider"))


def following(turn):
    pick = turn.next()
    assert pick is not None
    return pick


def at(pick):
    return None if pick is None else int(pick.target.model[1:])


def all_of(turn):
    return [*iter(lambda: at(turn.next()), None)]


def test_weights_are_exact_over_all_draws():
    place = Place(1, 0.5, 2.5)
    taken = Count(at(place.first(index / 1000)) for index in range(1000))
    assert taken == {0: 250, 1: 125, 2: 625}
    assert place.first(0.9).why == "weighted 2.5 of 4"


def test_each_target_is_asked_once_by_weight_of_those_that_are_left():
    turn = Place(1, 2, 1).turn(0.3, 0.6)
    assert [(at(pick), pick.why) for pick in iter(turn.next, None)] == [
        (1, "weighted 2 of 4"),
        (2, "weighted 1 of 2"),
        (0, "no other target is left"),
    ]


def test_one_target_is_nothing_to_decide():
    turn = Place(1).turn()
    pick = following(turn)
    assert (at(pick), pick.why, pick.is_watched(), turn.next()) == (0, "", False, None)


def test_a_target_that_fails_is_left_out_and_counted():
    place = Place(1, 1, health=HEALTH)
    place.asked(0, status=503)
    assert at(place.first(0.1)) == 0
    place.asked(0, status=503)
    turn = place.turn(0.1)
    assert following(turn).why == "no other target is left; openai/m0 skipped: 2 failures in a row, tried again in 30 s"
    assert turn.next() is None
    assert turn.told() == ["openai/m0 skipped: 2 failures in a row, tried again in 30 s"]
    assert place.watches.skipped.values == {("openai",): 1}


def test_where_no_other_model_follows_it_is_asked_all_the_same_but_last():
    place = Place(1, 1, health=HEALTH)
    for _ in range(2):
        place.asked(0, status=503)
    turn = place.turn(0.1, last_resort=True)
    assert at(turn.next()) == 1
    pick = following(turn)
    assert (at(pick), turn.next()) == (0, None)
    assert pick.why.startswith("asked all the same, as no other model is left: 2 failures")


@given(
    st.lists(st.booleans(), min_size=1, max_size=10),
    st.sampled_from(["weighted", "fastest"]),
    st.booleans(),
    st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
)
def test_each_target_is_asked_once_and_those_that_fail_last_or_never(failing, strategy, last_resort, draws):
    place = Place(*[1] * len(failing), strategy=strategy, health=HEALTH)
    for index, fails in enumerate(failing):
        for _ in range(2):
            place.asked(index, status=503 if fails else 200)
    asked = all_of(place.turn(*draws, last_resort=last_resort))
    sound = [index for index, fails in enumerate(failing) if not fails]
    assert sorted(asked[: len(sound)]) == sound
    assert sorted(asked) == ([*range(len(failing))] if last_resort else sound)


def test_after_the_pause_the_next_call_tries_again_and_no_other_until_it_has():
    place = Place(1, 1, health=HEALTH)
    for _ in range(2):
        place.asked(0, status=503)
    place.now = 30.0
    probe = place.first(0.9)
    assert (at(probe), probe.why) == (0, "tried again after 2 failures in a row")
    assert all_of(place.turn(0.1)) == [1]
    probe.ended(ended())
    probe.ended(ended(status=503))  # once only
    assert sorted(all_of(place.turn(0.1))) == [0, 1]


def test_a_target_that_no_call_can_be_sent_to_is_not_the_first_of_the_fastest_again():
    place = Place(1, 1, strategy="fastest")
    first = place.first()
    assert at(first) == 0
    first.ended(refused())
    following(turn := place.turn())
    assert all_of(turn) == [0]
    place.asked(1)
    assert all_of(place.turn()) == [1, 0]
    place.asked(0, milliseconds=50)
    assert all_of(place.turn()) == [0, 1]


def test_the_fastest_of_late_is_asked_after_each_has_been_once():
    place = Place(1, 1, 1, strategy="fastest")
    picks = [place.first() for _ in range(3)]
    assert [(at(pick), pick.why) for pick in picks] == [(index, "not asked yet") for index in range(3)]
    assert place.first(0.4).why == "drawn: none has answered yet"
    for pick, milliseconds in zip(picks, (300, 100, 200), strict=True):
        pick.ended(ended(200, milliseconds))
    turn = place.turn()
    assert [(at(pick), pick.why) for pick in iter(turn.next, None)] == [
        (1, "fastest of late: 100 ms"),
        (2, "fastest of late: 200 ms"),
        (0, "no other target is left"),
    ]


@pytest.mark.parametrize(("draw", "expected"), [(EXPLORED, 0), (EXPLORED - 0.001, 1)])
def test_now_and_then_another_target_is_asked_so_that_its_speed_is_known(draw, expected):
    place = Place(1, 1, strategy="fastest")
    place.asked(0, milliseconds=100)
    place.asked(1, milliseconds=200)
    pick = place.first(draw, 0.9)
    assert at(pick) == expected
    assert expected == 0 or pick.why == "drawn, to see how fast it is"


def test_a_target_that_fails_at_once_is_not_fast():
    place = Place(1, 1, strategy="fastest")
    place.asked(0, milliseconds=1, status=503)
    place.asked(1, milliseconds=900)
    assert at(place.first()) == 1
