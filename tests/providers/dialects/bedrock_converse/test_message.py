"""The message that the events of a stored stream of Converse make together."""

from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import message

CONVERSE = DIALECTS["bedrock_converse"]


def delta(index: int, **told: object) -> dict[str, object]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": told, "p": "abc"}}


def test_a_message_of_converse() -> None:
    chunks = [
        {"messageStart": {"role": "assistant", "p": "ab"}},
        delta(0, reasoningContent={"text": "Let me "}),
        delta(0, reasoningContent={"text": "see."}),
        delta(0, reasoningContent={"signature": "sig"}),
        delta(1, text="Hel"),
        delta(1, text="lo"),
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"contentBlockStart": {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "w"}}}},
        delta(2, toolUse={"input": '{"a":'}),
        delta(2, toolUse={"input": "1}"}),
        {"contentBlockStart": {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "u", "name": "v"}}}},
        delta(4, image={"format": "png"}),
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": {"inputTokens": 3}}},
    ]
    assert message(CONVERSE, *chunks) == {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "Let me see.", "signature": "sig"}}},
            {"text": "Hello"},
            {"toolUse": {"toolUseId": "t", "name": "w", "input": {"a": 1}}},
            {"toolUse": {"toolUseId": "u", "name": "v", "input": {}}},
            {"image": {"format": "png"}},
        ],
        "stopReason": "tool_use",
    }


def test_odd_events_are_left_out() -> None:
    odd = [1, {"contentBlockDelta": 7}, {"contentBlockDelta": {"contentBlockIndex": "0", "delta": {}}}, None]
    assert message(CONVERSE, {"messageStart": {"role": "assistant"}}, *odd) == {"role": "assistant", "content": []}
    assert message(CONVERSE, *odd) is None
