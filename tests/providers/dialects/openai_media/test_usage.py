"""What images or a transcription used; tests/providers/test_accounting.py has what it costs."""

import json

import pytest

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used

MEDIA = DIALECTS["openai_media"]


def test_seconds_are_rounded_up() -> None:
    reported = MEDIA.reported(b'{"text":"hi","usage":{"type":"duration","seconds":8.2}}')
    assert used(MEDIA, reported)[1] == {"audio_seconds": 9}


@pytest.mark.parametrize("told", [b'"8.47"', b"null", b"-1", b"1e9", b"0", b"0.0", b"{}"])
def test_a_duration_that_is_no_length_is_not_charged(told: bytes) -> None:
    assert MEDIA.reported(b'{"text":"hi","duration":%b}' % told).fees == []


def test_images_without_tokens_are_counted() -> None:
    one = {"b64_json": "iVBO", "revised_prompt": 'an "url": "x"'}
    reported = MEDIA.reported(json.dumps({"created": 1, "data": [one, {"url": "https://x.example"}]}).encode())
    assert used(MEDIA, reported)[1] == {"image": 2}
    assert MEDIA.reported(b'{"text":"hi"}').fees == []
    assert MEDIA.reported(b'{"error":{"message":"no"}}').error


def test_the_usage_behind_a_large_image_is_read() -> None:
    usage = {"input_tokens": 50, "input_tokens_details": {"image_tokens": 40, "text_tokens": 10}, "output_tokens": 272}
    body = json.dumps({"data": [{"b64_json": "i" * 12_000_000}], "usage": usage}).encode()
    for reported in (MEDIA.reported(body), MEDIA.reported_edges(body[:4096], body[-28_000:])):
        assert used(MEDIA, reported)[1] == {"input": 10, "input_image": 40, "output_image": 272}
