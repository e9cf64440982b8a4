"""The official ``anthropic`` SDK, answers validated strictly, talks to every kind of provider by the unified API."""

from typing import Any

import anthropic
import pytest
from pydantic import BaseModel

PIXEL = "iVBORw0KGgo="
SEEN = "image/png, 8 bytes"
WORD = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NAMES = ["weather", "time"]
TOOLS = [{"name": name, "description": f"Tells the {name}.", "input_schema": WORD} for name in NAMES]
THINKING = {"type": "enabled", "budget_tokens": 1024}
MODELS = [
    "anthropic/claude-haiku-4-5",
    "openai/gpt-5-mini",
    "google-ai-studio/gemini-2.5-flash",
    "google-ai-studio/gemini-3-flash-preview",
    "aws-bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "cohere/command-a-reasoning-08-2025",
    "openrouter/qwen/qwen3-32b",
]
every = pytest.mark.parametrize("model", MODELS)
thinkers = pytest.mark.parametrize("model", [model for model in MODELS if not model.startswith("open")])
signers = pytest.mark.parametrize("model", [model for model in MODELS if "claude" in model or "gemini" in model])
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])


class City(BaseModel):
    name: str
    people: int


@pytest.fixture(scope="module")
def claude(compat):
    with anthropic.Anthropic(
        base_url=compat, api_key="sk-of-nobody", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


class Chat:
    """Messages, whole or put together by the SDK from a stream."""

    def __init__(self, client: anthropic.Anthropic, model: str, *, stream: bool) -> None:
        self._messages = client.messages
        self._model = model
        self._stream = stream

    def say(self, *messages: Any, **more: Any) -> Any:
        given: dict[str, Any] = {"model": self._model, "max_tokens": 2048, "messages": messages, **more}
        if not self._stream:
            return self._messages.create(**given)
        with self._messages.stream(**given) as stream:
            return stream.get_final_message()


@pytest.fixture
def chat(claude, model, stream):
    return Chat(claude, model, stream=stream)


def said(answer: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": [block.to_dict() for block in answer.content]}


def text(answer: Any) -> str:
    return "".join(block.text for block in answer.content if block.type == "text")


def calls(answer: Any) -> list[Any]:
    return [block for block in answer.content if block.type == "tool_use"]


def results(answer: Any) -> dict[str, Any]:
    """What the tools say: one result as a text, the others as blocks."""
    told = [
        {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": f"of {call.name}"}]}
        for call in calls(answer)
    ]
    told[0]["content"] = told[0]["content"][0]["text"]
    return user(told)


@both_ways
@every
def test_a_message_has_a_text_a_reason_to_stop_and_usage(chat):
    told = chat.say(user("hello"), system="Be brief.")
    assert [block.type for block in told.content] == ["text"]
    assert (text(told), told.role, told.stop_reason) == ("You said: hello", "assistant", "end_turn")
    assert (told.usage.input_tokens, told.usage.output_tokens) == (4, 4)


@both_ways
@every
@pytest.mark.parametrize("more", [{}, {"thinking": THINKING}], ids=["plain", "thinking"])
def test_a_loop_of_tools_in_parallel(chat, more):
    question = user("both please")
    first = chat.say(question, tools=TOOLS, **more)
    assert first.stop_reason == "tool_use"
    assert [(call.name, call.input) for call in calls(first)] == [
        ("weather", {"city": "both"}),
        ("time", {"city": "please"}),
    ]
    turns = [question, said(first), results(first)]
    second = chat.say(*turns, tools=TOOLS, **more)
    assert text(second) == 'The tools say: "of weather", "of time"'
    third = chat.say(*turns, said(second), user("Rome now"), tools=TOOLS, **more)
    assert [call.input for call in calls(third)] == [{"city": "Rome"}]
    assert calls(third)[0].id not in {call.id for call in calls(first)}


@both_ways
@every
@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ({"type": "none"}, []),
        ({"type": "any"}, NAMES),
        ({"type": "tool", "name": "time"}, ["time"]),
    ],
    ids=["none", "any", "named"],
)
def test_the_choice_of_tools(chat, choice, called):
    told = chat.say(user("both"), tools=TOOLS, tool_choice=choice)
    assert [call.name for call in calls(told)] == called


@both_ways
@thinkers
def test_a_thought_is_signed_and_sent_back(chat, model):
    first = chat.say(user("hello"), thinking=THINKING)
    thought = first.content[0]
    assert (thought.type, thought.thinking) == ("thinking", "The user says: hello")
    assert bool(thought.signature) is ("claude" in model)  # Gemini signs what follows
    assert text(first) == "You said: hello"
    assert first.usage.output_tokens > 4
    again = chat.say(user("hello"), said(first), user("and now"), thinking=THINKING)
    assert text(again) == "You said: and now"


@both_ways
@signers
def test_what_a_provider_signed_comes_back_to_it(chat):
    first = said(chat.say(user("Oslo"), tools=TOOLS, thinking=THINKING))
    (signed,) = [block for block in first["content"] if block.get("signature")]
    signed["signature"] = "b3RoZXI="
    (call,) = [block for block in first["content"] if block["type"] == "tool_use"]
    result = user([{"type": "tool_result", "tool_use_id": call["id"], "content": "18"}])
    with pytest.raises(anthropic.BadRequestError, match=r"(?i)signature"):
        chat.say(user("Oslo"), first, result, tools=TOOLS, thinking=THINKING)


@both_ways
@every
def test_an_image_is_seen(chat):
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    told = chat.say(user([image, {"type": "text", "text": "look"}]))
    assert SEEN in text(told)


@every
def test_a_message_is_parsed_into_a_model_of_pydantic(claude, model):
    told = claude.messages.parse(model=model, max_tokens=99, messages=[user("Oslo")], output_format=City)
    assert told.parsed_output == City(name="Oslo", people=1)


@thinkers
def test_the_events_of_the_stream_helper(claude, model):
    with claude.messages.stream(model=model, max_tokens=2048, messages=[user("hello")], thinking=THINKING) as stream:
        events = list(stream)
    kinds = [event.type for event in events]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert "".join(event.thinking for event in events if event.type == "thinking") == "The user says: hello"
    assert "".join(event.text for event in events if event.type == "text") == "You said: hello"
    assert kinds.count("signature") == ("claude" in model)


@pytest.mark.parametrize("model", ["openai/gpt-5-mini", "google-ai-studio/gemini-2.5-flash"])
def test_an_error_is_one_of_anthropics(claude, model):
    with pytest.raises(anthropic.RateLimitError) as caught:
        claude.messages.create(
            model=model, max_tokens=9, messages=[user("hello")], extra_headers={"x-mock-status": "429"}
        )
    body: Any = caught.value.body
    assert body["error"]["type"] == "rate_limit_error"
