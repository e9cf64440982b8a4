"""The AI SDK on Node, with ``@ai-sdk/openai-compatible``, talks to every kind of provider through the unified API."""

import pytest

MODELS = [
    "openai/gpt-5-mini",
    "anthropic/claude-haiku-4-5",
    "google-ai-studio/gemini-2.5-flash",
    "google-ai-studio/gemini-3-flash-preview",
    "aws-bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "cohere/command-a-reasoning-08-2025",
]
every = pytest.mark.parametrize("model", MODELS)
both_ways = pytest.mark.parametrize("way", ["generate", "stream"])


@pytest.fixture(scope="module")
def journey(compat, walk):
    """Everything, walked once."""
    return walk("talk.mjs", compat=compat, models=MODELS)


@both_ways
@every
def test_a_text(journey, model, way):
    told = journey.value(f"{model} {way} text")
    assert told == {"text": "You said: hello", "finishReason": "stop", "usage": [2, 4], "calls": []}


@both_ways
@every
def test_tools_run_until_the_model_tells_what_they_said(journey, model, way):
    told = journey.value(f"{model} {way} tools")
    assert told["calls"] == [["weather", {"city": "both"}], ["time", {"city": "please"}]]
    assert (told["text"], told["finishReason"]) == ('The tools say: "rain in both", "noon in please"', "stop")


@both_ways
@every
def test_a_tool_that_is_named_is_called(journey, model, way):
    assert journey.value(f"{model} {way} named")["calls"] == [["time", {"city": "Oslo"}]]


@both_ways
@every
def test_a_picture_is_seen(journey, model, way):
    assert "image/png, 8 bytes" in journey.value(f"{model} {way} picture")["text"]


@every
def test_an_object_of_a_schema(journey, model):
    assert journey.value(f"{model} object") == {"name": "Oslo", "people": 1}
