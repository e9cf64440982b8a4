"""The official ``openai`` SDK, answers validated strictly, talks to every kind of provider through the unified API.

The simulated providers refuse what the real ones do of tools and signatures, so a loop that ends has kept them all.
"""

from typing import Any

import openai
import pytest
from pydantic import BaseModel

PIXEL = "data:image/png;base64,iVBORw0KGgo="
SEEN = "image/png, 8 bytes"
WORD = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
NAMES = ["weather", "time"]
MODELS = [
    "openai/gpt-5-mini",
    "anthropic/claude-haiku-4-5",
    "google-ai-studio/gemini-2.5-flash",
    "google-ai-studio/gemini-3-flash-preview",
    "aws-bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "cohere/command-a-reasoning-08-2025",
    "openrouter/qwen/qwen3-32b",
    "workers-ai/@cf/openai/gpt-oss-120b",
]
every = pytest.mark.parametrize("model", MODELS)
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])


class City(BaseModel):
    name: str
    people: int


@pytest.fixture(scope="module")
def gpt(compat):
    with openai.OpenAI(
        base_url=compat, api_key="sk-of-nobody", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


class Chat:
    """Chat completions, whole or put together by the SDK from a stream."""

    tools = [  # noqa: RUF012  never changed
        {"type": "function", "function": {"name": name, "parameters": WORD, "strict": True}} for name in NAMES
    ]

    def __init__(self, client: openai.OpenAI, model: str, *, stream: bool) -> None:
        self._chats = client.chat.completions
        self._model = model
        self._stream = stream

    def say(self, *messages: Any, **more: Any) -> Any:
        if not self._stream:
            return self._chats.create(model=self._model, messages=messages, **more)
        with self._chats.stream(
            model=self._model, messages=messages, stream_options={"include_usage": True}, **more
        ) as stream:
            return stream.get_final_completion()


@pytest.fixture
def chat(gpt, model, stream):
    return Chat(gpt, model, stream=stream)


@both_ways
@every
def test_a_chat_has_a_text_a_reason_to_end_and_usage(chat):
    told = chat.say({"role": "system", "content": "Be brief."}, user("hello"))
    (choice,) = told.choices
    assert (choice.message.content, choice.message.role, choice.finish_reason) == (
        "You said: hello",
        "assistant",
        "stop",
    )
    assert (told.usage.prompt_tokens, told.usage.completion_tokens, told.usage.total_tokens) == (4, 4, 8)


@both_ways
@every
def test_a_loop_of_tools(chat):
    question = user("Oslo please")
    told = chat.say(question, tools=chat.tools)
    assert told.choices[0].finish_reason == "tool_calls"
    message = told.choices[0].message
    (call,) = message.tool_calls
    assert (call.type, call.function.name, call.function.arguments) == ("function", "weather", '{"city":"Oslo"}')
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    told = chat.say(question, message.to_dict(), result, tools=chat.tools)
    assert told.choices[0].message.content == 'The tools say: "18 degrees"'
    turns = [question, message.to_dict(), result, told.choices[0].message.to_dict(), user("Rome now")]
    again = chat.say(*turns, tools=chat.tools).choices[0].message.tool_calls[0]
    assert again.function.arguments == '{"city":"Rome"}'
    assert again.id != call.id


@both_ways
@every
def test_parallel_tools(chat):
    question = user("both please")
    message = chat.say(question, tools=chat.tools).choices[0].message
    assert [call.function.name for call in message.tool_calls] == NAMES
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"of {call.function.name}"} for call in message.tool_calls
    ]
    told = chat.say(question, message.to_dict(), *results, tools=chat.tools)
    assert told.choices[0].message.content == 'The tools say: "of weather", "of time"'


@both_ways
@pytest.mark.parametrize("model", ["google-ai-studio/gemini-3-flash-preview"])
def test_what_a_provider_signed_comes_back_to_it(chat):
    question = user("Oslo please")
    message = chat.say(question, tools=chat.tools).choices[0].message.to_dict()
    (call,) = message["tool_calls"]
    call["extra_content"]["google"]["thought_signature"] = "b3RoZXI="
    with pytest.raises(openai.BadRequestError, match="signature is not valid"):
        chat.say(question, message, {"role": "tool", "tool_call_id": call["id"], "content": "18"}, tools=chat.tools)


@both_ways
@every
@pytest.mark.parametrize(
    ("choice", "called"),
    [("none", None), ("required", "weather"), ({"type": "function", "function": {"name": "time"}}, "time")],
    ids=["none", "required", "named"],
)
def test_the_choice_of_tools(chat, choice, called):
    message = chat.say(user("hello"), tools=chat.tools, tool_choice=choice).choices[0].message
    assert (message.tool_calls[0].function.name if message.tool_calls else None) == called


@both_ways
@every
def test_an_image_is_seen(chat):
    content = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    assert SEEN in chat.say({"role": "user", "content": content}).choices[0].message.content


@every
def test_an_answer_is_parsed_into_a_model_of_pydantic(gpt, model):
    told = gpt.chat.completions.parse(model=model, messages=[user("Oslo")], response_format=City)
    assert told.choices[0].message.parsed == City(name="Oslo", people=1)
    with gpt.chat.completions.stream(model=model, messages=[user("Oslo")], response_format=City) as stream:
        told = stream.get_final_completion()
    assert told.choices[0].message.parsed == City(name="Oslo", people=1)


@every
def test_the_events_of_the_stream_helper(gpt, model):
    with gpt.chat.completions.stream(
        model=model, messages=[user("both please")], tools=Chat.tools, stream_options={"include_usage": True}
    ) as stream:
        events = list(stream)
    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    assert [(event.index, event.name, event.parsed_arguments) for event in done] == [
        (0, "weather", {"city": "both"}),
        (1, "time", {"city": "please"}),
    ]


# Responses

FUNCTIONS = [{"type": "function", "name": name, "parameters": WORD, "strict": True} for name in NAMES]
THINKS = {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}


class Respond:
    """Responses, whole or put together by the SDK from a stream."""

    def __init__(self, client: openai.OpenAI, model: str, *, stream: bool) -> None:
        self._responses = client.responses
        self._model = model
        self._stream = stream

    def say(self, said: Any, **more: Any) -> Any:
        if not self._stream:
            return self._responses.create(model=self._model, input=said, store=False, **more)
        with self._responses.stream(model=self._model, input=said, store=False, **more) as stream:
            numbers = [event.sequence_number for event in stream]
            assert numbers == list(range(len(numbers)))
            return stream.get_final_response()


@pytest.fixture
def respond(gpt, model, stream):
    return Respond(gpt, model, stream=stream)


@both_ways
@every
def test_a_response_has_a_text_and_usage(respond):
    told = respond.say("hello", instructions="Be brief.")
    assert (told.output_text, told.status, told.instructions) == ("You said: hello", "completed", "Be brief.")
    assert (told.usage.input_tokens, told.usage.output_tokens, told.usage.total_tokens) == (4, 4, 8)


@both_ways
@every
@pytest.mark.parametrize("more", [{}, THINKS], ids=["plain", "thinking"])
def test_items_sent_back_go_on_with_thoughts_and_tools(respond, more):
    said = [user("both please")]
    told = respond.say(said, tools=FUNCTIONS, **more)
    calls = [item for item in told.output if item.type == "function_call"]
    assert [(call.name, call.arguments) for call in calls] == [
        ("weather", '{"city":"both"}'),
        ("time", '{"city":"please"}'),
    ]
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": f"of {call.name}"} for call in calls]
    said = [*said, *[item.to_dict() for item in told.output], *results]
    told = respond.say(said, tools=FUNCTIONS, **more)
    assert told.output_text == 'The tools say: "of weather", "of time"'
    said = [*said, *[item.to_dict() for item in told.output], user("Rome now")]
    (call,) = [item for item in respond.say(said, tools=FUNCTIONS, **more).output if item.type == "function_call"]
    assert call.arguments == '{"city":"Rome"}'


@both_ways
@pytest.mark.parametrize("model", [model for model in MODELS if not model.startswith(("cohere", "openrouter"))])
def test_thoughts_are_told_and_encrypted(respond):
    told = respond.say("hello", **THINKS)
    thoughts = [item for item in told.output if item.type == "reasoning"]
    assert [part.text for part in thoughts[0].summary] == ["The user says: hello"]
    assert any(thought.encrypted_content for thought in thoughts)
    assert told.output_text == "You said: hello"


@both_ways
@every
def test_an_image_in_a_response(respond):
    content = [{"type": "input_text", "text": "look"}, {"type": "input_image", "image_url": PIXEL, "detail": "auto"}]
    assert SEEN in respond.say([{"role": "user", "content": content}]).output_text


@every
def test_a_response_is_parsed_into_a_model_of_pydantic(gpt, model):
    told = gpt.responses.parse(model=model, input="Oslo", text_format=City)
    assert told.output_parsed == City(name="Oslo", people=1)
    with gpt.responses.stream(model=model, input="Oslo", text_format=City) as stream:
        told = stream.get_final_response()
    assert told.output_parsed == City(name="Oslo", people=1)


# Embeddings


@pytest.mark.parametrize(
    "model", ["openai/text-embedding-3-small", "google-ai-studio/gemini-embedding-001", "mistral/mistral-embed"]
)
def test_embeddings(gpt, model):
    told = gpt.embeddings.create(model=model, input=["one", "two"], encoding_format="float")
    assert [len(one.embedding) for one in told.data] == [1536] * 2
    assert told.data[0].embedding != told.data[1].embedding
    assert told.usage.total_tokens == 2
