import openai
import pytest

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


WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOLS = [{"type": "function", "name": name, "parameters": WORD, "strict": False} for name in ("first", "second")]
THINKS = {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
BOTH = {"model": "gpt-5", "input": [{"role": "user", "content": "call both"}], "tools": TOOLS, **THINKS}


async def test_a_conversation_with_tools_and_thoughts(openai_sdk):
    answer = await openai_sdk.responses.create(**BOTH)
    thought, *calls = answer.output
    assert thought.summary[0].text == "The user says: call both"
    assert [(call.name, call.arguments) for call in calls] == [
        ("first", '{"word":"call"}'),
        ("second", '{"word":"both"}'),
    ]
    assert answer.usage.output_tokens_details.reasoning_tokens == 6
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": call.name} for call in calls]
    items = [*BOTH["input"], *[item.to_dict() for item in answer.output], *results]
    answer = await openai_sdk.responses.create(**(BOTH | {"input": items}))
    assert answer.output_text == 'The tools say: "first", "second"'
    wrong = [
        (items[:-1], "No tool output found"),
        ([items[0], *results], "No tool call found"),
        ([items[0], items[1] | {"encrypted_content": "of another"}, *items[2:]], "could not be verified"),
    ]
    for wrong_items, why in wrong:
        with pytest.raises(openai.BadRequestError, match=why):
            await openai_sdk.responses.create(**(BOTH | {"input": wrong_items}))


async def test_a_stream_tells_thoughts_and_calls_in_pieces(openai_sdk):
    async with openai_sdk.responses.stream(**BOTH) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type.removeprefix("response.") for event in events]
    assert kinds.count("reasoning_summary_text.delta") == 5
    assert kinds.count("function_call_arguments.delta") == 6
    assert [item.type for item in final.output] == ["reasoning", "function_call", "function_call"]
    assert [event.arguments for event in events if event.type == "response.function_call_arguments.done"] == [
        '{"word":"call"}',
        '{"word":"both"}',
    ]


@pytest.mark.parametrize(
    ("choice", "called"),
    [("none", []), ("required", ["first", "second"]), ({"type": "function", "name": "second"}, ["second"])],
)
async def test_the_choice_of_tools_acts(openai_sdk, choice, called):
    answer = await openai_sdk.responses.create(**(BOTH | {"tool_choice": choice, "reasoning": None}))
    assert [item.name for item in answer.output if item.type == "function_call"] == called


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"type": "json_schema", "name": "w", "schema": WORD}, '{"word":"hello"}'),
        ({"type": "json_object"}, "{}"),
        ({"type": "text"}, "You said: hello"),
    ],
)
async def test_json_is_answered_where_it_is_asked_for(openai_sdk, form, text):
    answer = await openai_sdk.responses.create(**ASK, text={"format": form})
    assert answer.output_text == text


async def test_an_image_is_seen(openai_sdk):
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    said = [{"role": "user", "content": [{"type": "input_text", "text": "look"}, image]}]
    answer = await openai_sdk.responses.create(model="gpt-4o", input=said)
    assert answer.output_text == "You said: look You showed: image/png, 3 bytes."
