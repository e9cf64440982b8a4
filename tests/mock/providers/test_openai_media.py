import json

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE


def form(model: str) -> bytes:
    parts = (b'name="model"\r\n\r\n%b' % model.encode(), b'name="file"; filename="a.wav"\r\n\r\nRIFF')
    return b"".join(b"--b\r\ncontent-disposition: form-data; %b\r\n" % part for part in parts) + b"--b--\r\n"


def told(path: str, body: bytes):
    answer = dispatch.answer("POST", f"/openai/v1/{path}".encode(), body, NONE)
    assert answer.status == 200
    return codec.decode(b"".join(answer.known()))


def test_an_image_has_its_tokens():
    answer = told("images/generations", json.dumps({"model": "gpt-image-1.5", "prompt": "hello"}).encode())
    assert len(answer["data"]) == 1
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (2, 272)


def test_speech_is_sound_or_events_that_end_in_their_usage():
    asked = {"model": "tts-1", "input": "hello", "voice": "alloy"}
    said = dispatch.answer("POST", b"/openai/v1/audio/speech", json.dumps(asked).encode(), NONE)
    assert (said.status, said.kind) == (200, b"audio/mpeg")
    events = dispatch.answer(
        "POST", b"/openai/v1/audio/speech", json.dumps(asked | {"stream_format": "sse"}).encode(), NONE
    )
    last = codec.decode(events.known()[-1].removeprefix(b"data: "))
    assert (last["type"], last["usage"]["input_tokens"]) == ("speech.audio.done", 2)


def test_a_transcription_has_seconds_or_tokens():
    assert told("audio/transcriptions", form("whisper-1"))["usage"] == {"type": "duration", "seconds": 3}
    usage = told("audio/transcriptions", form("gpt-4o-transcribe"))["usage"]
    assert usage["input_token_details"]["audio_tokens"] == usage["input_tokens"]
