"""A stream of images, or of a transcription."""

from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used
from tests.kit.dialects import event, read

MEDIA = DIALECTS["openai_media"]

DELTA = event("transcript.text.delta", delta="hel")
DONE = event("transcript.text.done", text="hello", usage={"input_tokens": 14, "output_tokens": 4, "total_tokens": 18})


def test_the_last_event_carries_the_usage() -> None:
    assert not read(MEDIA, DELTA).complete
    reported = read(MEDIA, DELTA, DONE)
    assert (used(MEDIA, reported)[1], reported.complete) == ({"input": 14, "output": 4}, True)
    part = event("image_generation.partial_image", b64_json="i" * 2_000_000)
    usage = {"input_tokens": 5, "input_tokens_details": {"text_tokens": 5, "image_tokens": 0}, "output_tokens": 272}
    reported = read(MEDIA, part, event("image_generation.completed", b64_json="i" * 2_000_000, usage=usage))
    assert (used(MEDIA, reported)[1], reported.complete) == ({"input": 5, "output_image": 272}, True)


def test_an_error_is_one() -> None:
    reported = read(MEDIA, DELTA, event("error", error={"message": "no"}))
    assert (reported.error, reported.complete) == (True, False)
