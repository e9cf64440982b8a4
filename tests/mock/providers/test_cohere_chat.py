import json

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE

WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": WORD}} for name in ("first", "second")]
SAID = {"role": "user", "content": "call both"}
BOTH = {"model": "command-a", "messages": [SAID], "tools": TOOLS}
THINKS = {"thinking": {"type": "enabled"}}


def ask(body):
    return dispatch.answer("POST", b"/cohere/v2/chat", json.dumps(body).encode(), NONE)


def told(body):
    return codec.decode(b"".join(ask(body).known()))


def test_a_conversation_with_tools_and_thoughts():
    answer = told(BOTH | THINKS)
    message = answer["message"]
    assert answer["finish_reason"] == "TOOL_CALL"
    assert message["content"] == [{"type": "thinking", "thinking": "The user says: call both"}]
    assert message["tool_plan"] == "I will call first and second."
    calls = message["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == ['{"word":"call"}', '{"word":"both"}']
    results = [{"role": "tool", "tool_call_id": call["id"], "content": call["function"]["name"]} for call in calls]
    answer = told(BOTH | {"messages": [SAID, message, *results]})
    assert answer["message"]["content"] == [{"type": "text", "text": 'The tools say: "first", "second"'}]
    assert ask(BOTH | {"messages": [SAID, message, results[0]]}).status == 400


def test_a_stream_tells_a_thought_a_plan_and_calls_in_pieces():
    frames = ask(BOTH | THINKS | {"stream": True}).known()[:-1]
    events = [codec.decode(frame.partition(b"data: ")[2]) for frame in frames]
    messages = [event["delta"]["message"] for event in events if "message" in event.get("delta", {})]
    assert "".join(one["content"].get("thinking", "") for one in messages[1:] if "content" in one) == (
        "The user says: call both"
    )
    assert "".join(one.get("tool_plan", "") for one in messages) == "I will call first and second."
    arguments = [one["tool_calls"]["function"]["arguments"] for one in messages if "tool_calls" in one]
    assert (len(arguments), "".join(arguments)) == (8, '{"word":"call"}{"word":"both"}')
    assert events[-1]["delta"]["finish_reason"] == "TOOL_CALL"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"response_format": {"type": "json_object", "json_schema": WORD}}, '{"word":"call"}'),
        ({"response_format": {"type": "json_object"}}, "{}"),
        ({"response_format": {"type": "text"}}, "You said: call both"),
        ({"tools": TOOLS, "tool_choice": "NONE"}, "You said: call both"),
    ],
)
def test_json_is_answered_where_it_is_asked_for_and_no_tool_called_against_its_will(more, text):
    answer = told({"model": "command-a", "messages": [SAID]} | more)
    assert answer["message"]["content"] == [{"type": "text", "text": text}]
