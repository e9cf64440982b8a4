"""The official ``google-genai`` SDK talks to every kind of provider through the unified API."""

from typing import Any

import pytest
from google import genai
from google.genai import types
from pydantic import BaseModel

from tests.kit import routes

NAMES = ["weather", "time"]
MODELS = [
    "google-ai-studio/gemini-3-flash-preview",
    "openai/gpt-5-mini",
    "anthropic/claude-haiku-4-5",
    "aws-bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "cohere/command-a-03-2025",
]
WORD = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = types.Tool(
    function_declarations=[types.FunctionDeclaration(name=name, parameters_json_schema=WORD) for name in NAMES]
)
every = pytest.mark.parametrize("model", MODELS)
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])


class City(BaseModel):
    name: str
    people: int


@pytest.fixture(scope="module")
def gemini(compat):
    with genai.Client(api_key="of-nobody", http_options=types.HttpOptions(base_url=compat)) as client:
        yield client


@pytest.fixture
def say(gemini, model, stream):
    """Contents of the answer, put together from all of a stream."""

    def say(contents: Any, **config: Any) -> types.Content:
        given = {"model": model, "contents": contents, "config": types.GenerateContentConfig(**config)}
        answers = (
            list(gemini.models.generate_content_stream(**given))
            if stream
            else [gemini.models.generate_content(**given)]
        )
        assert answers[-1].candidates[0].finish_reason == types.FinishReason.STOP
        assert answers[-1].usage_metadata.total_token_count
        found = [one.candidates[0].content for one in answers]
        return types.Content(role="model", parts=[part for one in found if one for part in one.parts or ()])

    return say


def user(*parts: types.Part) -> types.Content:
    return types.Content(role="user", parts=list(parts))


def text(content: types.Content) -> str:
    return "".join(part.text or "" for part in content.parts or () if not part.thought)


@both_ways
@every
def test_a_text(say):
    assert text(say("hello", system_instruction="Be brief.")) == "You said: hello"


@both_ways
@every
def test_a_loop_of_tools(say):
    question = user(types.Part(text="both please"))
    told = say([question], tools=[TOOLS])
    calls = [part.function_call for part in told.parts if part.function_call]
    assert [(call.name, call.args) for call in calls] == [("weather", {"city": "both"}), ("time", {"city": "please"})]
    results = [
        types.Part(
            function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": f"of {call.name}"})
        )
        for call in calls
    ]
    assert text(say([question, told, user(*results)], tools=[TOOLS])) == 'The tools say: "of weather", "of time"'


@both_ways
@every
def test_an_image_is_seen(say):
    image = types.Part.from_bytes(data=bytes(8), mime_type="image/png")
    assert "image/png, 8 bytes" in text(say([user(types.Part(text="look"), image)]))


@every
def test_an_answer_is_a_model_of_pydantic(gemini, model):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=City)
    told = gemini.models.generate_content(model=model, contents="Oslo", config=config)
    assert told.parsed == City(name="Oslo", people=1)


@both_ways
@pytest.mark.parametrize("model", [model for model in MODELS if "claude" in model or "gemini" in model])
def test_thoughts_are_told_and_come_back(say):
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
    question = user(types.Part(text="hello"))
    told = say([question], thinking_config=thinking)
    assert "".join(part.text for part in told.parts if part.thought and part.text) == "The user says: hello"
    again = say([question, told, user(types.Part(text="and now"))], thinking_config=thinking)
    assert text(again) == "You said: and now"


@both_ways
def test_a_dynamic_route_is_a_model(house, sdk, gemini, stream):
    first = routes.model("first", fallback="second", provider="nobody")
    second = routes.model("second", provider="anthropic", model="claude-haiku-4-5")
    body = {"name": f"genai-{stream}", "elements": [routes.start("first"), first, second, routes.end()]}
    sdk.post(f"{house.gateway('compat')}/routes", body=body, cast_to=object)
    asked = {"model": f"dynamic/genai-{stream}", "contents": "hello"}
    models = gemini.models
    told = list(models.generate_content_stream(**asked)) if stream else [models.generate_content(**asked)]
    assert "".join(one.text or "" for one in told) == "You said: hello"
    assert told[0].sdk_http_response.headers["cf-aig-provider"] == "anthropic"
