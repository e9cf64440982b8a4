"""The content that the answers of a stored stream of Gemini make together."""

from penstock.providers.dialects import DIALECTS, message_of
from tests.kit.dialects import message

GEMINI = DIALECTS["gemini"]


def chunk(*parts: object, **more: object) -> dict[str, object]:
    return {"candidates": [{"content": {"parts": parts, "role": "model"}, **more}], "modelVersion": "g"}


CALL = {"functionCall": {"name": "w", "args": {"a": 1}}}
CHUNKS = [
    chunk({"text": "Hm", "thought": True}),
    chunk({"text": ", well", "thought": True}),
    chunk({"text": "Hel"}),
    chunk({"text": "lo"}, index=0),
    chunk({"text": "other"}, index=1),
    chunk({"text": "", "thoughtSignature": "s"}, CALL),
    chunk({"text": "!"}),
    {"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 3}},
]


def test_a_message_of_gemini() -> None:
    assert message(GEMINI, *CHUNKS) == {
        "role": "model",
        "parts": [
            {"text": "Hm, well", "thought": True},
            {"text": "Hello"},
            {"text": "", "thoughtSignature": "s"},
            CALL,
            {"text": "!"},
        ],
        "finishReason": "STOP",
    }


def test_the_pieces_of_a_long_message_are_joined_once() -> None:
    made = message(GEMINI, *[chunk({"text": "b" * 50})] * 100_000)
    assert made == {"role": "model", "parts": [{"text": "b" * 5_000_000}]}


def test_other_streams_are_none() -> None:
    assert message(GEMINI, {"choices": []}) is None
    assert message_of([b'{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}']) == {"parts": [{"text": "a"}]}
