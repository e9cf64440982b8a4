"""Each answer is charged once, to whoever made it, and what is told is what is charged."""

import json
from typing import Any

import pytest

from penstock.model.options import CallOptions, CustomCost
from penstock.model.spending import Spending
from penstock.model.step import Step
from penstock.providers import catalog
from penstock.providers.charge import UNFINISHED, Charge
from penstock.providers.dialects import DIALECTS
from penstock.providers.prices import PriceBook
from penstock.providers.upstream import Upstream
from tests.kit.exchange import an_exchange

ROWS = catalog.load()
BOOK = PriceBook(ROWS)
OPENAI = Upstream(ROWS["openai"], "http://127.0.0.1:1")
USAGE = {"input_tokens": 10_000, "output_tokens": 500, "total_tokens": 10_500}
COST = 10_000 * 250 + 500 * 2_000  # of gpt-5-mini
PLAIN = CallOptions(log=True, payloads=False)


def noted(charge: Charge, path: str, answer: dict[str, Any], options: CallOptions = PLAIN) -> Step:
    step = an_exchange().step
    step.options = options
    step.target = OPENAI.target(path.encode())
    charge.note(step, DIALECTS[step.target.endpoint.dialect].reported(json.dumps(answer).encode()))
    return step


def response(name: str = "resp_1", status: str = "completed") -> dict[str, Any]:
    usage = USAGE if status == "completed" else None
    return {"id": name, "object": "response", "status": status, "model": "gpt-5-mini", "output": [], "usage": usage}


def test_prices_of_the_caller_do_not_hide_what_an_answer_costs() -> None:
    own = CallOptions(log=True, payloads=False, cost=CustomCost(0, 0))
    step = noted(Charge(BOOK), "responses", response(), own)
    assert step.reported is not None
    assert step.reported.usage is not None
    assert (step.cost, step.reported.usage.real) == (0, COST)


def test_a_background_response_is_charged_to_the_first_poll_that_has_its_usage() -> None:
    charge = Charge(BOOK)
    begun = noted(charge, "responses", response(status="queued"))
    assert (begun.cost, begun.warnings[0][:23]) == (None, "usage not known yet: th")
    assert noted(charge, "responses/resp_1", response(status="in_progress")).cost is None
    assert noted(charge, "responses/resp_1", response()).cost == COST
    for path in ("responses/resp_1", "responses/resp_1/cancel"):
        again = noted(charge, path, response())
        assert again.reported is not None
        assert (again.cost, again.reported.usage) == (None, None)
        assert again.warnings == ["usage not counted: it is that of an earlier call, which has it"]


SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
NOTHING = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}


@pytest.mark.parametrize("so_far", [{"output": [SEARCH]}, {"usage": NOTHING}, {"output": [SEARCH], "usage": NOTHING}])
def test_what_an_unfinished_response_tells_is_not_charged_and_its_end_is_charged_whole(so_far: dict[str, Any]) -> None:
    charge = Charge(BOOK)
    early = [noted(charge, "responses", response(status="in_progress") | so_far)]
    early += [noted(charge, "responses/resp_1", response(status="in_progress") | so_far) for _ in range(2)]
    for step in early:
        assert (step.cost, step.reported and step.reported.usage) == (None, None)
        assert [warning[:23] for warning in step.warnings] == ["usage not known yet: th"]
    done = response() | {"output": [SEARCH]}
    assert noted(charge, "responses/resp_1", done).cost == COST + 10_000_000
    assert noted(charge, "responses/resp_1", done).cost is None


ERROR = {"type": "error", "code": "server_error", "message": "no"}


@pytest.mark.parametrize(("events", "told"), [([], ["usage not known: the stream"]), ([ERROR], [])])
def test_a_stream_that_ended_early_is_charged_when_it_is_asked_for(
    events: list[dict[str, Any]], told: list[str]
) -> None:
    """Nobody can tell whether the provider goes on with it."""
    charge = Charge(BOOK)
    reader = DIALECTS["openai_responses"].reader()
    for event in ({"type": "response.created", "response": response(status="in_progress")}, *events):
        reader.event(b"data: " + json.dumps(event).encode() + b"\n\n")
    step = an_exchange().step
    step.options, step.target = PLAIN, OPENAI.target(b"responses")
    charge.note(step, reader.reported())
    assert step.cost is None
    assert [warning[:27] for warning in step.warnings] == told
    assert noted(charge, "responses/resp_1", response()).cost == COST


def test_a_stream_that_ended_early_and_costs_what_was_reserved_is_not_charged_again() -> None:
    charge = Charge(BOOK)
    reader = DIALECTS["openai_responses"].reader()
    event = {"type": "response.created", "response": response(status="in_progress")}
    reader.event(b"data: " + json.dumps(event).encode() + b"\n\n")
    step = an_exchange().step
    step.options, step.target, step.spending = PLAIN, OPENAI.target(b"responses"), Spending((), 7, 7, 0)
    charge.note(step, reader.reported())
    again = noted(charge, "responses/resp_1", response())
    assert (again.cost, again.warnings) == (None, ["usage not counted: it is that of an earlier call, which has it"])


def test_a_response_that_was_charged_when_it_was_made_is_not_charged_again() -> None:
    charge = Charge(BOOK)
    assert noted(charge, "responses", response()).cost == COST
    stored = noted(charge, "responses/resp_1", response())
    assert (stored.cost, "did not see" in stored.warnings[0]) == (None, True)


def test_what_is_remembered_has_a_bound() -> None:
    charge = Charge(BOOK)
    for n in range(UNFINISHED + 1):
        noted(charge, "responses", response(f"resp_{n}", "queued"))
    assert noted(charge, "responses/resp_0", response("resp_0")).cost is None
    assert noted(charge, "responses/resp_1", response("resp_1")).cost == COST


@pytest.mark.parametrize("custom", [CustomCost(10**9, 2 * 10**9), CustomCost(total=10**15)])
def test_the_callers_own_prices_stand_above_all_others(custom: CustomCost) -> None:
    own = noted(Charge(BOOK), "responses", response(), CallOptions(log=True, payloads=False, cost=custom))
    assert own.cost == (10**9 if custom.total else 10_000 * 1000 + 500 * 2000)
    assert own.warnings == []
