"""A request for speech."""

import json

import pytest

from penstock.model.usage import Asked, Used
from penstock.providers.dialects import DIALECTS

SPEECH = DIALECTS["openai_speech"]


@pytest.mark.parametrize(
    ("text", "characters"), [("The quick brown fox", 19), ("naïve", 5), ("\U0001f600", 1), ('a "quoted"\n', 11)]
)
def test_characters_are_counted_and_not_bytes(text: str, characters: int) -> None:
    for escaped in (True, False):
        body = json.dumps({"model": "tts-1", "input": text}, ensure_ascii=escaped).encode()
        assert SPEECH.asked(body) == Asked("tts-1", used=(Used("characters", characters),))


def test_events_are_asked_for_by_name() -> None:
    asked = SPEECH.asked(b'{"model":"m","input":"x","stream_format":"sse"}')
    assert (asked.stream, asked.wants_usage) == (True, True)
    assert not SPEECH.asked(b'{"model":"m","input":"x","stream_format":"audio"}').stream


@pytest.mark.parametrize("told", [b"", b',"input":""', b',"input":null', b',"input":["a"]', b',"input":7'])
def test_what_is_no_text_has_no_characters(told: bytes) -> None:
    assert SPEECH.asked(b'{"model":"tts-1"%b}' % told) == Asked("tts-1")
