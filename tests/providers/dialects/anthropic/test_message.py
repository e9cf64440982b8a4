"""The message that the events of a stored stream of Anthropic messages make together."""

from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import message

ANTHROPIC = DIALECTS["anthropic"]


def test_a_message_of_anthropic():
    chunks = [
        {
            "type": "message_start",
            "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 3}},
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "w", "input": {}}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    assert message(ANTHROPIC, *chunks) == {
        "id": "m",
        "role": "assistant",
        "content": [{"type": "text", "text": "Hello"}, {"type": "tool_use", "name": "w", "input": {"a": 1}}],
        "usage": {"input_tokens": 3},
        "stop_reason": "end_turn",
    }


def test_the_pieces_of_a_long_message_are_joined_once():
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"text": "b" * 50}}
    made = message(ANTHROPIC, {"type": "message_start", "message": {}}, start, *[delta] * 100_000)
    assert made == {"content": [{"type": "text", "text": "a" + "b" * 5_000_000}]}
