"""OpenAI's images, each a white dot that is charged as a small picture, and transcriptions."""

from base64 import b64encode

from penstock.core import codec
from penstock.mock.answer import CREATED, Answer, Ask, json
from penstock.mock.answer import tokens as count
from penstock.mock.providers.pictures import PNG, field

_TOKENS = 272  # of a picture of 1024 by 1024 in low quality
_HEARD = "hello"


class _Request(codec.Struct):
    prompt: str


_decode = codec.decoder(_Request).decode


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
    return json({"text": _HEARD, "usage": spoken if field(ask.body, b"model") == "whisper-1" else usage})
