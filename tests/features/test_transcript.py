"""The log keeps what the client got, also where that is not what the provider sent."""

import pytest
import pytest_asyncio

from penstock.core.budget import Budget
from penstock.core.telemetry import Telemetry
from penstock.features.transcript import Transcript
from penstock.model.options import CallOptions
from penstock.model.reply import Body, Reply
from penstock.providers.reading import NOT_KEPT
from tests.kit.exchange import an_exchange
from tests.kit.house import house, request

STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made
        await made.quiet()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("frames", ["1", "7"])
async def test_a_stream_whose_usage_is_hidden_is_in_the_log_as_its_client_got_it(there, frames):
    async with there.client() as client:
        answer = await client.ask(request(headers={"x-mock-frames": frames}, body=STREAM, event=f"hidden-{frames}"))
    row = await there.row(f"hidden-{frames}")
    assert row.response == answer.body
    assert b'"usage":{' not in row.response
    assert row.tokens_in, "it was read nevertheless"


class Upper:
    """A stage that changes what passes."""

    def feed(self, data):
        return data.upper()

    def end(self):
        return b""


class Kept:
    """What the meter would read the answer with."""

    kept = True

    def keep_nothing(self):
        self.kept = False


def passed(*data, keep=100, room=1 << 20, changes=True, payloads=True):
    """A step through whose reply the data went, ended; and the budget."""
    budget, telemetry = Budget(room), Telemetry()
    step = an_exchange().step
    step.options, step.reading = CallOptions(log=True, payloads=payloads), Kept()
    reply = Reply(200, b"", [], Body())
    reply.put(Upper(), changes=changes)
    Transcript(keep, budget, telemetry.unread).keep(step, reply)
    upper, *copies = reply.stages
    for frame in map(upper.feed, data):
        for copy in copies:
            copy.feed(frame)
    assert step.close() == []
    return step, budget, telemetry


def test_what_a_stage_has_changed_is_kept_as_it_goes_out_and_nothing_else_is():
    step, budget, _ = passed(b"he", b"llo")
    assert (step.answer, step.reading.kept, budget.used) == (b"HELLO", False, 0)


@pytest.mark.parametrize("given", [{"changes": False}, {"payloads": False}])
def test_an_answer_that_nobody_changes_or_wants_is_left_to_the_meter(given):
    step, _, _ = passed(b"hello", **given)
    assert (step.answer, step.reading.kept) == (None, True)


def test_an_answer_that_is_too_large_is_not_kept():
    step, budget, _ = passed(b"x" * 60, b"x" * 60)
    assert (step.answer, step.warnings, budget.used) == (None, [], 0)


def test_where_there_is_no_room_the_row_says_so_and_all_is_given_back():
    step, budget, telemetry = passed(b"x" * 300_000, keep=1 << 20, room=1000)
    assert (step.answer, step.warnings, budget.used) == (None, [NOT_KEPT], 0)
    assert sum(telemetry.unread.values.values()) == 1
