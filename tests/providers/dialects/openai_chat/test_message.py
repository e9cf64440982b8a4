"""The message that the chunks of a stored chat make together."""

from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import message

CHAT = DIALECTS["openai_chat"]


def chat(delta, index=0):
    return {"object": "chat.completion.chunk", "choices": [{"index": index, "delta": delta}]}


def test_a_chat():
    chunks = [
        chat({"role": "assistant", "content": ""}),
        chat({"content": "Hel"}),
        chat({"content": "other"}, index=1),
        chat({"content": "lo", "refusal": None}),
        {"choices": [], "usage": {"total_tokens": 3}},
    ]
    assert message(CHAT, *chunks) == {"role": "assistant", "content": "Hello", "refusal": None}


def test_tool_calls_of_a_chat():
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    chunks = [
        chat({"role": "assistant", "content": None, "tool_calls": [first]}),
        chat({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
        chat(
            {"tool_calls": [{"index": 1, "id": "c2", "type": "function", "function": {"name": "x", "arguments": "{}"}}]}
        ),
        chat({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
    ]
    assert message(CHAT, *chunks) == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}},
            {"id": "c2", "type": "function", "function": {"name": "x", "arguments": "{}"}},
        ],
    }


def test_the_pieces_of_a_long_message_are_joined_once():
    assert message(CHAT, *[chat({"content": "b" * 50})] * 100_000) == {"content": "b" * 5_000_000}


def test_a_chunk_that_is_not_what_it_seems_is_left_out_of_the_message():
    odd = {"choices": [{"delta": {"content": {"a": [[]] * 9}}}, 5]}
    assert message(CHAT, chat({"content": "Hel"}), {"choices": 3}, chat({"content": "lo"})) == {"content": "Hello"}
    assert message(CHAT, chat({"content": "Hel"}), {"x": [[]] * 50_000, **chat({"content": "lo"})}, odd) == {
        "content": {"a": [[]] * 9}
    }
