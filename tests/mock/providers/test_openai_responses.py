ASK = {"model": "gpt-4o", "instructions": "Be kind.", "input": "hello"}


async def test_a_response_says_back_what_it_heard(openai_sdk):
    answer = await openai_sdk.responses.create(**ASK)
    assert answer.output_text == "You said: hello"
    assert (answer.status, answer.instructions) == ("completed", "Be kind.")
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (4, 4, 8)


async def test_input_may_be_a_list_of_messages(openai_sdk):
    said = [
        {"role": "user", "content": [{"type": "input_text", "text": "hello "}, {"type": "input_text", "text": "you"}]}
    ]
    answer = await openai_sdk.responses.create(model="gpt-4o", input=said)
    assert answer.output_text == "You said: hello you"


async def test_a_stream_has_every_event_in_order_and_ends_with_the_whole_response(openai_sdk):
    events = [event async for event in await openai_sdk.responses.create(**ASK, stream=True)]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 3,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(event.delta for event in events[4:7]) == "You said: hello"
    assert events[-1].response.output_text == "You said: hello"
    assert events[-1].response.usage.total_tokens == 8


async def test_cached_and_reasoning_tokens(openai_sdk):
    asked = {"x-mock-cached-tokens": "100", "x-mock-reasoning-tokens": "50"}
    usage = (await openai_sdk.responses.create(**ASK, extra_headers=asked)).usage
    assert (usage.input_tokens, usage.input_tokens_details.cached_tokens) == (104, 100)
    assert (usage.output_tokens, usage.output_tokens_details.reasoning_tokens) == (54, 50)


async def test_usage_can_be_left_out(client):
    answer = await client.post("/openai/responses", json=ASK, headers={"x-mock-usage": "none"})
    assert "usage" not in answer.json()


async def test_a_failure_in_the_middle_of_a_stream(openai_sdk):
    asked = {"x-mock-error-body": "1"}
    events = [event async for event in await openai_sdk.responses.create(**ASK, stream=True, extra_headers=asked)]
    assert [event.type for event in events[-2:]] == ["error", "response.failed"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[-2].code, events[-1].response.status) == ("server_error", "failed")
