import json

import anthropic
import pytest

ASK = {"model": "claude-sonnet-4-6", "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}]}


async def test_a_message_says_back_what_it_heard(anthropic_sdk):
    answer = await anthropic_sdk.messages.create(**ASK, system="Be kind.")
    assert answer.content[0].text == "You said: hello"
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (4, 4)


async def test_a_stream_tells_the_same_message(anthropic_sdk):
    async with anthropic_sdk.messages.stream(**ASK) as stream:
        words = [word async for word in stream.text_stream]
        final = await stream.get_final_message()
    assert words == ["You ", "said: ", "hello"]
    assert final.content[0].text == "You said: hello"
    assert (final.stop_reason, final.usage.input_tokens, final.usage.output_tokens) == ("end_turn", 2, 4)


async def _events(client, headers=None):
    answer = await client.post("/anthropic/v1/messages", json={**ASK, "stream": True}, headers=headers)
    events = [event.split("\n") for event in answer.text.split("\n\n")[:-1]]
    found = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]
    assert all(name == data["type"] for name, data in found)
    return [data for _, data in found]


async def test_the_events_of_a_stream(client):
    events = await _events(client)
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "ping",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[0]["message"]["usage"]["output_tokens"] == 1
    assert events[-2]["usage"]["output_tokens"] == 4


async def test_cached_tokens_stand_beside_the_fresh_ones(anthropic_sdk):
    asked = {"x-mock-cached-tokens": "100", "x-mock-cache-write-tokens": "10", "x-mock-reasoning-tokens": "50"}
    usage = (await anthropic_sdk.messages.create(**ASK, extra_headers=asked)).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (2, 100, 10)
    assert (usage.output_tokens, usage.output_tokens_details.thinking_tokens) == (54, 50)


async def test_usage_can_come_with_the_last_text_or_be_left_out(client):
    last = await _events(client, {"x-mock-usage": "last-text"})
    assert [event["type"] for event in last if "usage" in event] == ["content_block_delta"]
    assert "usage" not in json.dumps(await _events(client, {"x-mock-usage": "none"}))
    answer = await client.post("/anthropic/v1/messages", json=ASK, headers={"x-mock-usage": "none"})
    assert "usage" not in answer.json()


async def test_tokens_are_counted_by_the_same_rule(anthropic_sdk):
    counted = await anthropic_sdk.messages.count_tokens(model="m", messages=ASK["messages"], system="Be kind.")
    assert counted.input_tokens == 4


async def test_max_tokens_must_be_given(client):
    answer = await client.post("/anthropic/v1/messages", json={**ASK, "max_tokens": 0})
    assert answer.status_code == 400
    assert "max_tokens" in answer.json()["error"]["message"]


async def test_an_error_in_the_middle_of_a_stream_reaches_the_sdk(anthropic_sdk):
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        async with anthropic_sdk.messages.stream(**ASK, extra_headers={"x-mock-error-body": "1"}) as stream:
            async for _ in stream:
                pass


WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOLS = [{"name": name, "input_schema": WORD} for name in ("first", "second")]
THINKS = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}
SAID = {"role": "user", "content": "call both"}
BOTH = {"model": "claude-sonnet-4-6", "messages": [SAID], "tools": TOOLS, **THINKS}


async def test_a_conversation_with_tools_and_thoughts(anthropic_sdk):
    answer = await anthropic_sdk.messages.create(**BOTH)
    thought, *calls = answer.content
    assert (thought.thinking, answer.stop_reason) == ("The user says: call both", "tool_use")
    assert [(call.name, call.input) for call in calls] == [("first", {"word": "call"}), ("second", {"word": "both"})]
    assert answer.usage.output_tokens_details.thinking_tokens == 6
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": call.name} for call in calls]
    said = {"role": "assistant", "content": [block.to_dict() for block in answer.content]}
    told = {"role": "user", "content": results}
    answer = await anthropic_sdk.messages.create(**(BOTH | {"messages": [SAID, said, told]}))
    assert answer.content[-1].text == 'The tools say: "first", "second"'
    unthought, forged = said["content"][1:], [said["content"][0] | {"thinking": "Another."}, *said["content"][1:]]
    wrong = [
        ([SAID, said, {"role": "user", "content": results[:1]}], "were found without `tool_result`"),
        ([SAID, told], "unexpected `tool_use_id`"),
        ([SAID, {"role": "assistant", "content": unthought}, told], "must start with a thinking block"),
        ([SAID, {"role": "assistant", "content": forged}, told], "Invalid `signature`"),
    ]
    for messages, why in wrong:
        with pytest.raises(anthropic.BadRequestError, match=why):
            await anthropic_sdk.messages.create(**(BOTH | {"messages": messages}))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"max_tokens": 1024}, "must be greater than"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1}}, "greater than or equal to 1024"),
        ({"tool_choice": {"type": "any"}}, "may not be enabled"),
        ({"tool_choice": {"type": "tool", "name": "third"}, "thinking": {"type": "disabled"}}, "third"),
    ],
)
async def test_thinking_and_choices_that_are_refused(anthropic_sdk, more, why):
    with pytest.raises(anthropic.BadRequestError, match=why):
        await anthropic_sdk.messages.create(**(BOTH | more))


async def test_a_stream_tells_thoughts_and_calls_in_pieces(anthropic_sdk):
    async with anthropic_sdk.messages.stream(**BOTH) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "tool_use", "tool_use"]
    assert [block.input for block in final.content[1:]] == [{"word": "call"}, {"word": "both"}]
    assert len([event for event in events if event.type == "input_json" and event.partial_json]) == 6
    again = {"role": "assistant", "content": [final.content[0].to_dict(), {"type": "text", "text": "Yes."}]}
    answer = await anthropic_sdk.messages.create(**(BOTH | {"messages": [SAID, again, SAID], "tools": []}))
    assert answer.content[-1].text == "You said: call both"


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ({"type": "none"}, []),
        ({"type": "any"}, ["first", "second"]),
        ({"type": "auto", "disable_parallel_tool_use": True}, ["first"]),
        ({"type": "tool", "name": "second"}, ["second"]),
    ],
)
async def test_the_choice_of_tools_acts(anthropic_sdk, choice, called):
    answer = await anthropic_sdk.messages.create(**(BOTH | {"tool_choice": choice, "thinking": {"type": "disabled"}}))
    assert [block.name for block in answer.content if block.type == "tool_use"] == called


async def test_json_is_answered_where_it_is_asked_for(anthropic_sdk):
    form = {"format": {"type": "json_schema", "schema": WORD}}
    answer = await anthropic_sdk.messages.create(**ASK, output_config=form)
    assert answer.content[0].text == '{"word":"hello"}'


async def test_an_image_is_seen(anthropic_sdk):
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "look"}]
    answer = await anthropic_sdk.messages.create(**(ASK | {"messages": [{"role": "user", "content": content}]}))
    assert answer.content[0].text == "You said: look You showed: image/png, 3 bytes."
