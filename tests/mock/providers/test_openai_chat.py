import json

import openai
import pytest

ASK = {"model": "gpt-4o", "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}]}


async def test_a_chat_says_back_what_it_heard_and_counts_four_characters_a_token(openai_sdk):
    answer = await openai_sdk.chat.completions.create(**ASK)
    assert answer.choices[0].message.content == "You said: hello"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (4, 4, 8)


async def test_the_text_parts_of_the_last_user_message_are_heard(openai_sdk):
    parts = [{"type": "text", "text": "hello "}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    parts.append({"type": "text", "text": "there"})
    messages = [{"role": "user", "content": "before"}, {"role": "user", "content": parts}]
    answer = await openai_sdk.chat.completions.create(model="gpt-4o", messages=messages)
    assert answer.choices[0].message.content == "You said: hello there"


async def test_a_stream_tells_the_same_text_in_words_and_its_usage_when_asked(openai_sdk):
    stream = await openai_sdk.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == "You said: hello"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * 4 + ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 8


async def _events(client, **more):
    headers = more.pop("headers", {})
    answer = await client.post("/openai/v1/chat/completions", json={**ASK, "stream": True, **more}, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.split("\n\n")
    assert events.pop() == ""
    assert events[-1] == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events[:-1]]


async def test_a_stream_that_did_not_ask_for_usage_says_nothing_of_it(client):
    assert not any("usage" in event for event in await _events(client))


async def test_a_stream_that_asked_for_usage_has_a_null_everywhere_but_at_the_end(client):
    events = await _events(client, stream_options={"include_usage": True})
    assert [event["usage"] is None for event in events] == [True] * (len(events) - 1) + [False]


async def test_usage_can_come_with_the_last_text(client):
    events = await _events(client, headers={"x-mock-usage": "last-text"}, stream_options={"include_usage": True})
    last = events[-1]
    assert last["choices"][0]["delta"] == {"content": "hello"}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["total_tokens"] == 8
    assert not any("usage" in event for event in events[:-1])


async def test_usage_can_be_left_out(client):
    headers = {"x-mock-usage": "none"}
    events = await _events(client, headers=headers, stream_options={"include_usage": True})
    assert not any("usage" in event for event in events)
    assert "usage" not in (await client.post("/openai/chat/completions", json=ASK, headers=headers)).json()


async def test_cached_written_and_reasoning_tokens_come_on_top(openai_sdk):
    asked = {"x-mock-cached-tokens": "100", "x-mock-cache-write-tokens": "10", "x-mock-reasoning-tokens": "50"}
    usage = (await openai_sdk.chat.completions.create(**ASK, extra_headers=asked)).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (114, 54)
    assert (usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens_details.cache_write_tokens) == (100, 10)
    assert usage.completion_tokens_details.reasoning_tokens == 50


async def test_several_choices(openai_sdk):
    answer = await openai_sdk.chat.completions.create(**ASK, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert answer.usage.completion_tokens == 12
    said = ["", "", ""]
    async for chunk in await openai_sdk.chat.completions.create(**ASK, n=3, stream=True):
        said[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert said == ["You said: hello"] * 3
    with pytest.raises(openai.BadRequestError, match="n must be"):
        await openai_sdk.chat.completions.create(**ASK, n=0)


async def test_frames_and_size(client):
    events = await _events(client, headers={"x-mock-frames": "64"})
    texts = [choice["delta"]["content"] for event in events for choice in event["choices"] if choice["delta"]][1:]
    assert [len(text) for text in texts] == [4] * 64
    sized = await client.post("/openai/chat/completions", json=ASK, headers={"x-mock-size": "5000"})
    assert len(sized.json()["choices"][0]["message"]["content"].encode()) == 5000
    assert sized.json()["usage"]["completion_tokens"] == 1250


async def test_an_error_in_the_middle_of_a_stream_reaches_the_sdk(openai_sdk):
    stream = await openai_sdk.chat.completions.create(**ASK, stream=True, extra_headers={"x-mock-error-body": "1"})
    assert (await anext(stream)).choices
    with pytest.raises(openai.APIError, match="had an error"):
        async for _ in stream:
            pass


async def test_an_error_in_a_200(client):
    answer = await client.post("/openai/chat/completions", json=ASK, headers={"x-mock-error-body": "1"})
    assert answer.status_code == 200
    assert answer.json()["error"]["type"] == "server_error"


async def test_malformed_bodies_and_events(client):
    answer = await client.post("/openai/chat/completions", json=ASK, headers={"x-mock-malformed": "1"})
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    with pytest.raises(json.JSONDecodeError):
        await _events(client, headers={"x-mock-malformed": "1"})


WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": WORD}} for name in ("first", "second")]
BOTH = {"model": "gpt-4o", "messages": [{"role": "user", "content": "call both"}], "tools": TOOLS}


async def test_tools_are_called_and_their_results_told(openai_sdk):
    answer = await openai_sdk.chat.completions.create(**BOTH)
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    calls = choice.message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("first", '{"word":"call"}'),
        ("second", '{"word":"both"}'),
    ]
    assert answer.usage.completion_tokens == 11
    results = [{"role": "tool", "tool_call_id": call.id, "content": f"{n}"} for n, call in enumerate(calls)]
    turns = [*BOTH["messages"], choice.message, *results]
    answer = await openai_sdk.chat.completions.create(**(BOTH | {"messages": turns}))
    assert answer.choices[0].message.content == 'The tools say: "0", "1"'
    for wrong, why in ((turns[:-1], "did not have response"), ([turns[0], *results], "must be a response")):
        with pytest.raises(openai.BadRequestError, match=why):
            await openai_sdk.chat.completions.create(**(BOTH | {"messages": wrong}))


async def test_a_stream_tells_calls_in_pieces(openai_sdk):
    async with openai_sdk.chat.completions.stream(**BOTH) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_completion()
    pieces = [event.arguments_delta for event in events if event.type == "tool_calls.function.arguments.delta"]
    assert len([piece for piece in pieces if piece]) == 6
    assert [call.function.arguments for call in final.choices[0].message.tool_calls] == [
        '{"word":"call"}',
        '{"word":"both"}',
    ]
    assert final.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("choice", "called", "finish"),
    [
        ("none", [], "stop"),
        ("required", ["first", "second"], "tool_calls"),
        ({"type": "function", "function": {"name": "second"}}, ["second"], "stop"),
    ],
)
async def test_the_choice_of_tools_acts(openai_sdk, choice, called, finish):
    told = (await openai_sdk.chat.completions.create(**BOTH, tool_choice=choice)).choices[0]
    assert ([call.function.name for call in told.message.tool_calls or ()], told.finish_reason) == (called, finish)


async def test_a_tool_that_is_not_offered_cannot_be_chosen(openai_sdk):
    with pytest.raises(openai.BadRequestError, match="third"):
        await openai_sdk.chat.completions.create(
            **BOTH, tool_choice={"type": "function", "function": {"name": "third"}}
        )


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"type": "json_schema", "json_schema": {"name": "w", "schema": WORD}}, '{"word":"hello"}'),
        ({"type": "json_object"}, "{}"),
        ({"type": "text"}, "You said: hello"),
    ],
)
async def test_json_is_answered_where_it_is_asked_for(openai_sdk, form, text):
    answer = await openai_sdk.chat.completions.create(**ASK, response_format=form)
    assert answer.choices[0].message.content == text


async def test_an_image_and_a_file_are_seen(openai_sdk):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    document = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "look"}, image, document]}]
    answer = await openai_sdk.chat.completions.create(model="gpt-4o", messages=messages)
    assert answer.choices[0].message.content == (
        "You said: look You showed: image/png, 3 bytes. You showed: application/pdf, 1 bytes."
    )
