"""What an answer of OpenAI chat used."""

import pytest

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

CHAT = DIALECTS["openai_chat"]

USAGE = (
    b'{"prompt_tokens": 100, "completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":60,'
    b'"cache_write_tokens":10,"audio_tokens":5},"completion_tokens_details":{"reasoning_tokens":7,"audio_tokens":2}}'
)


def test_an_answer() -> None:
    reported = CHAT.reported(b'{"model":"gpt-4o-2024","choices":[],"service_tier":"flex","usage":' + USAGE + b"}")
    usage, kinds, notes = used(CHAT, reported)
    assert usage is not None
    assert (reported.model, reported.error, usage.terms) == ("gpt-4o-2024", False, ("service_tier=flex",))
    assert usage.raw == USAGE
    assert (usage.tokens_in, usage.tokens_out, notes) == (100, 20, [])
    assert kinds == {
        "input": 25,
        "cache_read": 60,
        "cache_write": 10,
        "input_audio": 5,
        "output": 11,
        "output_reasoning": 7,
        "output_audio": 2,
    }


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"[]",
            b"null",
            b"{",
            b"\xff",
            b'{"usage":null}',
            b'{"usage":{}}',
            b'{"usage":"many"}',
            b'{"usage":[1]}',
        ),
        *(b'{"usage":{"prompt_tokens":-1}}', b'{"usage":{"prompt_tokens":1.5}}', b'{"usage":{"prompt_tokens":1e30}}'),
    ],
)
def test_what_cannot_be_read_is_not_learnt(body: bytes) -> None:
    assert used(CHAT, CHAT.reported(body))[0] is None
