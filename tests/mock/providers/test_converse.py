import json

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE

WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOLS = {"tools": [{"toolSpec": {"name": name, "inputSchema": {"json": WORD}}} for name in ("first", "second")]}
THINKS = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}
SAID = {"role": "user", "content": [{"text": "call both"}]}
BOTH = {"messages": [SAID], "toolConfig": TOOLS}


def ask(body, way="converse"):
    return dispatch.answer("POST", f"/aws-bedrock/model/m/{way}".encode(), json.dumps(body).encode(), NONE)


def told(body):
    answer = ask(body)
    told = codec.decode(b"".join(answer.known()))
    assert answer.status == 200, told
    return told


def content(body):
    return told(body)["output"]["message"]["content"]


def refused(body):
    answer = ask(body)
    assert answer.status == 400
    return codec.decode(b"".join(answer.known()))["message"]


def results(blocks):
    uses = [block["toolUse"] for block in blocks if "toolUse" in block]
    told = [{"toolResult": {"toolUseId": use["toolUseId"], "content": [{"text": use["name"]}]}} for use in uses]
    return {"role": "user", "content": told}


def test_a_conversation_with_tools_and_thoughts():
    first = told(BOTH | THINKS)
    message = first["output"]["message"]
    thought, *uses = message["content"]
    assert first["stopReason"] == "tool_use"
    assert thought["reasoningContent"]["reasoningText"]["text"] == "The user says: call both"
    assert [use["toolUse"]["input"] for use in uses] == [{"word": "call"}, {"word": "both"}]
    turns = [SAID, message, results(uses)]
    assert content(BOTH | {"messages": turns}) == [{"text": 'The tools say: "first", "second"'}]
    thought["reasoningContent"]["reasoningText"]["text"] = "Another."
    assert "Invalid `signature`" in refused(BOTH | {"messages": turns})


def test_a_stream_tells_thoughts_and_calls_in_pieces():
    frames = ask(BOTH | THINKS, "converse-stream").known()
    events = [codec.decode(frame[12 + int.from_bytes(frame[4:8], "big") : -4]) for frame in frames]
    deltas = [event["delta"] for event in events if "delta" in event]
    thoughts = [delta["reasoningContent"] for delta in deltas if "reasoningContent" in delta]
    assert "".join(thought.get("text", "") for thought in thoughts) == "The user says: call both"
    assert thoughts[-1]["signature"]
    starts = [event["start"]["toolUse"]["name"] for event in events if "start" in event]
    assert starts == ["first", "second"]
    pieces = [delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta]
    assert (len(pieces), "".join(pieces)) == (6, '{"word":"call"}{"word":"both"}')
    assert [event["stopReason"] for event in events if "stopReason" in event] == ["tool_use"]


def test_calls_and_results_that_do_not_fit_are_refused():
    message = told(BOTH)["output"]["message"]
    result = results(message["content"])
    assert "Expected toolResult" in refused(BOTH | {"messages": [SAID, message, SAID]})
    assert "exceeds the number" in refused(BOTH | {"messages": [SAID, result]})
    assert "toolConfig field must be defined" in refused({"messages": [SAID, message, result]})


@pytest.mark.parametrize(
    ("choice", "called"), [({"any": {}}, ["first", "second"]), ({"tool": {"name": "second"}}, ["second"])]
)
def test_the_choice_of_tools_acts(choice, called):
    blocks = content(BOTH | {"toolConfig": TOOLS | {"toolChoice": choice}})
    assert [block["toolUse"]["name"] for block in blocks] == called


def test_a_tool_that_is_not_offered_cannot_be_chosen():
    assert "third" in refused(BOTH | {"toolConfig": TOOLS | {"toolChoice": {"tool": {"name": "third"}}}})


def test_json_is_answered_where_it_is_asked_for():
    form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(WORD)}}}
    assert content({"messages": [SAID], "outputConfig": {"textFormat": form}}) == [{"text": '{"word":"call"}'}]


def test_an_image_and_a_document_are_seen():
    image = {"image": {"format": "png", "source": {"bytes": "AAAA"}}}
    document = {"document": {"format": "pdf", "name": "a", "source": {"bytes": "AA=="}}}
    assert content({"messages": [{"role": "user", "content": [{"text": "look"}, image, document]}]}) == [
        {"text": "You said: look You showed: image/png, 3 bytes. You showed: application/pdf, 1 bytes."}
    ]
