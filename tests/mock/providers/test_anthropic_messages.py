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
