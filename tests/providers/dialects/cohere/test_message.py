"""The message that the events of a stored stream of Cohere make together."""

from typing import Any

from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import message

COHERE = DIALECTS["cohere"]


def told(kind: str, index: int = 0, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}


def test_a_message_of_the_second_version() -> None:
    chunks = [
        {"type": "message-start", "id": "m", "delta": {"message": {"role": "assistant", "content": []}}},
        told("tool-plan-delta", tool_plan="I will "),
        told("tool-plan-delta", tool_plan="look."),
        told("content-start", content={"type": "text", "text": ""}),
        told("content-delta", content={"text": "Hel"}),
        told("content-delta", content={"text": "lo"}),
        told("tool-call-start", tool_calls={"id": "t", "type": "function", "function": {"name": "w", "arguments": ""}}),
        told("tool-call-delta", tool_calls={"function": {"arguments": '{"a":'}}),
        told("tool-call-delta", tool_calls={"function": {"arguments": "1}"}}),
        told("citation-start", citations={"start": 0, "end": 5}),
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": {}}},
    ]
    assert message(COHERE, *chunks) == {
        "role": "assistant",
        "tool_plan": "I will look.",
        "content": [{"type": "text", "text": "Hello"}],
        "tool_calls": [{"id": "t", "type": "function", "function": {"name": "w", "arguments": '{"a":1}'}}],
        "citations": [{"start": 0, "end": 5}],
        "finish_reason": "TOOL_CALL",
    }


def test_the_first_version_tells_its_answer_whole() -> None:
    end = {"event_type": "stream-end", "response": {"text": "Hello", "generation_id": "g"}}
    assert message(COHERE, {"event_type": "text-generation", "text": "Hello"}, end) == end["response"]


def test_odd_events_are_left_out() -> None:
    start = {"type": "message-start", "delta": {"message": {"role": "assistant"}}}
    odd = [
        1,
        None,
        {"delta": 7},
        {"delta": {"message": {"content": 7}}},
        {"index": [], "delta": {"message": {"content": {}}}},
    ]
    assert message(COHERE, start, *odd) == {"role": "assistant", "content": []}
    assert message(COHERE, *odd, {"event_type": "stream-end"}, {"a": "stream-end"}) is None
