import json

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE

WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOLS = [{"functionDeclarations": [{"name": name, "parametersJsonSchema": WORD} for name in ("first", "second")]}]
SAID = {"role": "user", "parts": [{"text": "call both"}]}
BOTH = {"contents": [SAID], "tools": TOOLS}
THINKS = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
OLDER, NEWER = "gemini-2.5-flash", "gemini-3-flash"


def ask(model, body, way="generateContent"):
    target = f"/google-ai-studio/v1beta/models/{model}:{way}"
    return dispatch.answer("POST", target.encode(), json.dumps(body).encode(), NONE)


def content(model, body):
    answer = ask(model, body)
    told = codec.decode(b"".join(answer.known()))
    assert answer.status == 200, told
    return told["candidates"][0]["content"]


def refused(model, body):
    answer = ask(model, body)
    told = codec.decode(b"".join(answer.known()))["error"]
    assert (answer.status, told["status"]) == (400, "INVALID_ARGUMENT")
    return told["message"]


def results(parts):
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    told = [{"functionResponse": {"name": call["name"], "response": {"output": call["name"]}}} for call in calls]
    return {"role": "user", "parts": told}


@pytest.mark.parametrize(("model", "more"), [(OLDER, {}), (OLDER, THINKS), (NEWER, {}), (NEWER, THINKS)])
def test_a_conversation_with_tools_and_thoughts(model, more):
    said = content(model, BOTH | more)
    parts = said["parts"]
    if more:
        assert parts.pop(0) == {"text": "The user says: call both", "thought": True}
    calls = [part["functionCall"] for part in parts]
    assert [(call["name"], call["args"]) for call in calls] == [
        ("first", {"word": "call"}),
        ("second", {"word": "both"}),
    ]
    assert ["thoughtSignature" in part for part in parts] == [bool(more) or model == NEWER, False]
    assert all("id" in call for call in calls) is (model == NEWER)
    answer = content(model, BOTH | {"contents": [SAID, said, results(parts)]})
    assert answer["parts"][0]["text"] == 'The tools say: "first", "second"'


def test_a_stream_tells_a_thought_and_then_the_calls_or_the_words():
    def chunks(body):
        frames = ask(NEWER, body | THINKS, "streamGenerateContent?alt=sse").known()
        told = [codec.decode(frame.removeprefix(b"data: ")) for frame in frames]
        return [part for chunk in told for part in chunk["candidates"][0]["content"]["parts"]]

    assert ["functionCall" in part for part in chunks(BOTH)] == [False, True, True]
    thought, *words = chunks({"contents": [SAID]})
    assert thought["thought"] is True
    assert "".join(part["text"] for part in words) == "You said: call both"
    assert ["thoughtSignature" in part for part in words] == [False, False, False, True]


def test_signatures_and_results_that_are_refused():
    said = content(NEWER, BOTH)
    told = results(said["parts"])
    (first, second) = said["parts"]

    def say(*parts, result=told):
        return BOTH | {"contents": [SAID, {"role": "model", "parts": parts}, result]}

    unsigned = {"functionCall": first["functionCall"]}
    assert "missing a thought_signature" in refused(NEWER, say(unsigned, second))
    assert "not valid" in refused(NEWER, say(unsigned | {"thoughtSignature": "b3RoZXI="}, second))
    assert "number of function response parts" in refused(NEWER, say(first, second, result=SAID))
    assert "number of function response parts" in refused(NEWER, BOTH | {"contents": [SAID, told]})
    assert content(NEWER, say(unsigned | {"thoughtSignature": "skip_thought_signature_validator"}, second))
    assert content(OLDER, say(unsigned, second))
    before = {"contents": [*say(unsigned, second)["contents"], SAID]}
    assert content(NEWER, before)["parts"][0]["text"] == "You said: call both"


@pytest.mark.parametrize(
    ("calling", "called"),
    [
        ({"mode": "NONE"}, []),
        ({"mode": "ANY"}, ["first", "second"]),
        ({"mode": "ANY", "allowedFunctionNames": ["second"]}, ["second"]),
    ],
)
def test_the_choice_of_tools_acts(calling, called):
    parts = content(OLDER, BOTH | {"toolConfig": {"functionCallingConfig": calling}})["parts"]
    assert [part["functionCall"]["name"] for part in parts if "functionCall" in part] == called


def test_a_tool_that_is_not_offered_cannot_be_chosen():
    calling = {"mode": "ANY", "allowedFunctionNames": ["third"]}
    assert "allowed_function_names" in refused(OLDER, BOTH | {"toolConfig": {"functionCallingConfig": calling}})


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"responseMimeType": "application/json", "responseJsonSchema": WORD}, '{"word":"call"}'),
        ({"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}}, '"call"'),
        ({"responseMimeType": "application/json"}, "{}"),
        ({"responseMimeType": "text/plain"}, "You said: call both"),
    ],
)
def test_json_is_answered_where_it_is_asked_for(config, text):
    assert content(OLDER, {"contents": [SAID], "generationConfig": config})["parts"] == [{"text": text}]


def test_names_may_be_in_snake_case_but_for_those_in_values():
    schema = {"type": "object", "properties": {"a_b": {"type": "integer"}}, "required": ["a_b"]}
    config = {"response_mime_type": "application/json", "response_json_schema": schema}
    body = {"contents": [SAID], "generation_config": config}
    assert content(OLDER, body)["parts"] == [{"text": '{"a_b":1}'}]


def test_an_image_is_seen():
    parts = [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"text": "look"}]
    told = content(OLDER, {"contents": [{"role": "user", "parts": parts}]})["parts"]
    assert told == [{"text": "You said: look You showed: image/png, 3 bytes."}]
