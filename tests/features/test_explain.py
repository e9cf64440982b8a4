"""What decided, as one header tells it."""

import json

import pytest

from penstock.features.explain import explained
from penstock.model.decision import CacheDecision, LimitDecision
from penstock.model.plan import Attempt
from tests.kit.exchange import an_exchange


def test_times_are_told_apart():
    ex = an_exchange()
    ex.step.attempts = [
        Attempt("openai", "secret.internal", 1.0, 40.0, None, "it broke"),
        Attempt("openai", "secret.internal", 91.0, 20.0, 200, waited=50.0),
    ]
    ex.step.waited = 0.15  # the 50 milliseconds between the attempts, and 100 for another call's answer
    told = json.loads(explained(ex, ex.started + 0.215))
    assert (told["upstream_ms"], told["own_ms"]) == (60.0, pytest.approx(5.0, abs=0.01))
    assert told["attempts"] == [
        {"provider": "openai", "ms": 40.0, "error": "it broke"},
        {"provider": "openai", "ms": 20.0, "waited": 50.0, "status": 200},
    ]


def test_what_was_not_in_effect_is_left_out():
    ex = an_exchange()
    assert json.loads(explained(ex, ex.started)) == {"upstream_ms": 0, "own_ms": 0, "decisions": {}}
    ex.step.decisions.limit = LimitDecision("fixed", 60, 5, 3, "redis")
    ex.step.decisions.cache = CacheDecision("MISS", "ab", 60)
    told = json.loads(explained(ex, ex.started))["decisions"]
    assert told["limit"] == {"technique": "fixed", "interval": 60, "limit": 5, "used": 3, "by": "redis"}
    assert told["cache"] == {"status": "MISS", "key": "ab", "ttl": 60}


def test_it_is_ascii_on_one_line_and_not_long_whatever_a_provider_said():
    ex = an_exchange()
    said = 'zoë \U0001f600 \r\n"' + "x" * 10_000
    ex.step.attempts = [Attempt("openai", "h", 1.0, 1.0, None, said)] * 5
    value = explained(ex, ex.started)
    assert value.isascii()
    assert all(32 <= sign < 127 for sign in value)
    assert len(value) < 4096
    assert json.loads(value)["attempts"][0]["error"] == said[:200]
