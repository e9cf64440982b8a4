"""OpenAI's images, each a white dot that is charged as a small picture, its transcriptions and its speech."""

from base64 import b64encode

from penstock.core import codec
from penstock.mock.answer import CREATED, EVENTS, Answer, Ask, json, pieces
from penstock.mock.answer import tokens as count
from penstock.mock.providers.pictures import PNG, field
from penstock.mock.providers.speech import mp3

_TOKENS = 272  # of a picture of 1024 by 1024 in low quality
_SPOKEN = 40  # tokens of sound
_HEARD = "hello"


class _Request(codec.Struct):
    prompt: str


_decode = codec.decoder(_Request).decode


class _Speech(codec.Struct):
    input: str
    stream_format: str = "audio"


_decode_speech = codec.decoder(_Speech).decode


def media(ask: Ask) -> Answer:
    """Images or a transcription."""
    return images(ask) if "images/" in ask.path else transcription(ask)


def speech(ask: Ask) -> Answer:
    """The sound itself, or events with it that end in its usage."""
    asked = _decode_speech(ask.body)
    if asked.stream_format != "sse":
        return Answer(200, b"audio/mpeg", [mp3(asked.input)])
    into = count(asked.input)
    parts = [
        {"type": "speech.audio.delta", "audio": b64encode(mp3(piece)).decode()}
        for piece in pieces(asked.input, ask.controls.frames)
    ]
    usage = {"input_tokens": into, "output_tokens": _SPOKEN, "total_tokens": into + _SPOKEN}
    events = [*parts, {"type": "speech.audio.done", "usage": usage}]
    return Answer(200, EVENTS, [b"data: %b\n\n" % codec.encode(event) for event in events], stream=True)


def images(ask: Ask) -> Answer:
    into = count(_decode(ask.body).prompt)
    usage = {
        "input_tokens": into,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": into},
        "output_tokens": _TOKENS,
        "total_tokens": into + _TOKENS,
    }
    picture = {"b64_json": b64encode(PNG).decode()}
    return json({"created": CREATED, "data": [picture], "quality": "low", "size": "1024x1024", "usage": usage})


def transcription(ask: Ask) -> Answer:
    """By the second for Whisper, else by the token."""
    usage = {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
        "output_tokens": count(_HEARD),
        "total_tokens": 14 + count(_HEARD),
    }
    spoken = {"type": "duration", "seconds": 3}
    return json({"text": _HEARD, "usage": spoken if "whisper" in field(ask.body, b"model") else usage})
