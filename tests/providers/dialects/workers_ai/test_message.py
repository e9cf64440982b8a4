"""The message that the events of a stored stream of Workers AI make together."""

from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import message

WORKERS = DIALECTS["workers_ai"]


def test_a_message_of_workers_ai() -> None:
    usage = {"prompt_tokens": 3}
    chunks = [{"response": "Hel", "p": "ab"}, {"response": "lo"}, {"response": "", "tool_calls": []}, {"usage": usage}]
    assert message(WORKERS, *chunks) == {"response": "Hello", "usage": usage}


def test_odd_events_are_left_out() -> None:
    assert message(WORKERS, 1, [], {"response": "Hi"}, {"response": {"a": 1}}, {"response": 7}) == {"response": "Hi"}
    assert message(WORKERS, {"response": 7}, {"a": "response"}) is None
