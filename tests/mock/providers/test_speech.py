import base64
import io
import json
import wave

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE, Controls

FORM = b'--b\r\ncontent-disposition: form-data; name="model_id"\r\n\r\nscribe_v1\r\n--b--\r\n'


def ask(path, body, method="POST", controls=NONE):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dispatch.answer(method, f"/{path}".encode(), sent, controls)


def read(answer):
    return codec.decode(answer.known()[0])


def test_elevenlabs_speaks_whole_in_pieces_and_with_times():
    whole = ask("elevenlabs/v1/text-to-speech/voice", {"text": "hello there"})
    pieces = ask("elevenlabs/v1/text-to-speech/voice/stream", {"text": "hello there"})
    assert (whole.kind, pieces.kind, len(whole.known()), len(pieces.known())) == (b"audio/mpeg", b"audio/mpeg", 1, 2)
    assert (b"character-cost", b"11") in whole.headers
    timed = read(ask("elevenlabs/v1/text-to-speech/voice/with-timestamps", {"text": "hello there"}))
    assert base64.b64decode(timed["audio_base64"]) == whole.known()[0]
    assert timed["alignment"]["characters"] == list("hello there")


def test_elevenlabs_listens_and_has_voices():
    assert "bytes were heard" in read(ask("elevenlabs/v1/speech-to-text", FORM))["text"]
    assert read(ask("elevenlabs/v1/voices", b"", "GET"))["voices"]


def test_cartesia_speaks_in_a_file_that_can_be_played_and_in_events():
    file = ask("cartesia/tts/bytes", {"transcript": "hello there", "model_id": "sonic-2"}).known()[0]
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, 2400)
    *chunks, done = ask("cartesia/tts/sse", {"transcript": "hello there"}).known()
    assert len(chunks) == 2
    assert done.startswith(b"event: done\n")


def test_deepgram_listens_and_speaks():
    told = read(ask("deepgram/v1/listen?model=nova-3", b"\0" * 8000))
    assert (told["metadata"]["duration"], told["metadata"]["models"]) == (1.0, ["nova-3"])
    assert told["results"]["channels"][0]["alternatives"][0]["confidence"] == 1.0
    assert ask("deepgram/v1/speak", {"text": "hello"}).kind == b"audio/mpeg"


@pytest.mark.parametrize(
    ("slug", "names"),
    [
        ("elevenlabs", {"detail"}),
        ("cartesia", {"title", "message", "status_code", "error_code", "request_id"}),
        ("deepgram", {"err_code", "err_msg", "request_id"}),
    ],
)
def test_errors_have_the_shape_of_the_provider(slug, names):
    assert read(ask(f"{slug}/nothing", b"")).keys() == names
    assert read(ask(f"{slug}/nothing", b"", controls=Controls(status=401))).keys() == names
