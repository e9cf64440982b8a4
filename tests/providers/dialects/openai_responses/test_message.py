"""The answer that a stored stream of OpenAI responses ends with."""

from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import message

RESPONSES = DIALECTS["openai_responses"]


def test_the_answer_that_ends_a_stream():
    done = {"id": "r", "output": [{"type": "message"}]}
    chunks = [
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_text.delta", "delta": "x"},
        {"type": "response.completed", "response": done},
    ]
    assert message(RESPONSES, *chunks) == done
