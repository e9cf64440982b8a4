"""Who speaks and listens: ElevenLabs, Cartesia, Deepgram. What is said is silence, the longer the text the longer."""

import hashlib
import struct
from base64 import b64encode
from typing import Any

from penstock.core import codec
from penstock.mock.answer import EVENTS, SERVER_ERRORS, Answer, Ask, Provider, Route, identified, json, pieces, tokens
from penstock.mock.controls import Pairs
from penstock.mock.providers.pictures import field

_FRAME = b"\xff\xfb\x90\x64" + bytes(413)  # of an MP3: 26 milliseconds at 128 kbit/s
_RATE = 8000  # samples a second of a WAV file, 8 bits each
_SENTENCES = {401: "Invalid API key", 404: "Not found", 405: "Method not allowed", 429: "Too many requests"}


class _Speak(codec.Struct):
    text: str


class _Say(codec.Struct):
    transcript: str
    model_id: str = ""


_decode_speak = codec.decoder(_Speak).decode
_decode_say = codec.decoder(_Say).decode


def eleven_speak(ask: Ask) -> Answer:
    text = _decode_speak(ask.body).text
    return Answer(200, b"audio/mpeg", [mp3(text)], headers=_cost(text))


def eleven_stream(ask: Ask) -> Answer:
    text = _decode_speak(ask.body).text
    frames = [mp3(piece) for piece in pieces(text, ask.controls.frames)]
    return Answer(200, b"audio/mpeg", frames, headers=_cost(text), stream=True)


def eleven_times(ask: Ask) -> Answer:
    text = _decode_speak(ask.body).text
    alignment = {"characters": list(text), "character_start_times_seconds": [n / 10 for n in range(len(text))]}
    return json({"audio_base64": b64encode(mp3(text)).decode(), "alignment": alignment})


def eleven_listen(ask: Ask) -> Answer:
    field(ask.body, b"model_id")
    return json({"language_code": "en", "language_probability": 1.0, "text": _heard(ask), "words": []})


def eleven_voices(ask: Ask) -> Answer:
    return json({"voices": [{"voice_id": "21m00Tcm4TlvDq8ikWAM", "name": "Rachel", "category": "premade"}]})


def eleven_models(ask: Ask) -> Answer:
    return json([{"model_id": "eleven_multilingual_v2", "name": "Eleven Multilingual v2"}])


def cartesia_bytes(ask: Ask) -> Answer:
    return Answer(200, b"audio/wav", [wav(_decode_say(ask.body).transcript)])


def cartesia_events(ask: Ask) -> Answer:
    chunks = [
        {"type": "chunk", "data": b64encode(wav(piece)).decode(), "done": False, "status_code": 206}
        for piece in pieces(_decode_say(ask.body).transcript, ask.controls.frames)
    ]
    events = [*chunks, {"type": "done", "done": True, "status_code": 200}]
    frames = [b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), codec.encode(event)) for event in events]
    failure = b"event: error\ndata: %b\n\n" % _cartesia(500, None, ask.seed)
    return Answer(200, EVENTS, frames, stream=True, failure=failure)


def cartesia_voices(ask: Ask) -> Answer:
    voice = {"id": "a0e99841-438c-4a64-b679-ae501e7d6091", "name": "Barbershop Man", "language": "en"}
    return json({"data": [voice], "has_more": False})


def deepgram_listen(ask: Ask) -> Answer:
    metadata = {
        "request_id": ask.seed,
        "sha256": hashlib.sha256(ask.body).hexdigest(),
        "created": "2025-01-01T00:00:00.000Z",
        "duration": len(ask.body) / _RATE,
        "channels": 1,
        "models": [ask.query.get("model", "nova-3")],
    }
    alternative: dict[str, Any] = {"transcript": _heard(ask), "confidence": 1.0, "words": []}
    return json({"metadata": metadata, "results": {"channels": [{"alternatives": [alternative]}]}})


def deepgram_speak(ask: Ask) -> Answer:
    text = _decode_speak(ask.body).text
    return Answer(200, b"audio/mpeg", [mp3(text)], headers=[(b"dg-char-count", b"%d" % len(text))])


def deepgram_key(ask: Ask) -> Answer:
    return json({"api_key_id": "00000000-0000-4000-8000-000000000000", "scopes": ["usage:write"]})


def mp3(text: str) -> bytes:
    """A frame for each token."""
    return _FRAME * min(tokens(text), 10_000)


def wav(text: str) -> bytes:
    """A tenth of a second for each token."""
    data = b"\x80" * (_RATE // 10 * min(tokens(text), 10_000))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _RATE, _RATE, 1, 8)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE") + form + struct.pack("<4sI", b"data", len(data)) + data
    )


def _heard(ask: Ask) -> str:
    return f"{len(ask.body)} bytes were heard."


def _cost(text: str) -> Pairs:
    return [(b"character-cost", b"%d" % len(text))]


def _sentence(status: int) -> str:
    return _SENTENCES.get(status, "Internal server error" if status >= SERVER_ERRORS else "The request is invalid.")


def _elevenlabs(status: int, message: str | None, seed: str) -> bytes:
    kinds = {401: "invalid_api_key", 404: "not_found", 429: "too_many_concurrent_requests"}
    kind = kinds.get(status, "internal_error" if status >= SERVER_ERRORS else "invalid_request")
    return codec.encode({"detail": {"status": kind, "message": message or _sentence(status)}})


def _cartesia(status: int, message: str | None, seed: str) -> bytes:
    told = {"title": _sentence(status), "message": message or _sentence(status), "status_code": status}
    return codec.encode(told | {"error_code": "error", "request_id": seed})


def _deepgram(status: int, message: str | None, seed: str) -> bytes:
    kinds = {401: "INVALID_AUTH", 404: "NOT_FOUND", 429: "TOO_MANY_REQUESTS"}
    kind = kinds.get(status, "INTERNAL_SERVER_ERROR" if status >= SERVER_ERRORS else "Bad Request")
    return codec.encode({"err_code": kind, "err_msg": message or _sentence(status), "request_id": seed})


ELEVENLABS = Provider(
    routes={
        "v1/text-to-speech/*": Route("POST", eleven_speak),
        "v1/text-to-speech/*/stream": Route("POST", eleven_stream),
        "v1/text-to-speech/*/with-timestamps": Route("POST", eleven_times),
        "v1/speech-to-text": Route("POST", eleven_listen),
        "v1/models": Route("GET", eleven_models),
        "v1/voices": Route("GET", eleven_voices),
    },
    error=_elevenlabs,
    headers=identified(b"request-id"),
    failing=500,
    prefixes=(),
)
CARTESIA = Provider(
    routes={
        "tts/bytes": Route("POST", cartesia_bytes),
        "tts/sse": Route("POST", cartesia_events),
        "voices": Route("GET", cartesia_voices),
    },
    error=_cartesia,
    headers=identified(b"cartesia-request-id"),
    failing=500,
    prefixes=(),
)
DEEPGRAM = Provider(
    routes={
        "v1/listen": Route("POST", deepgram_listen),
        "v1/speak": Route("POST", deepgram_speak),
        "v1/auth/token": Route("GET", deepgram_key),
    },
    error=_deepgram,
    headers=identified(b"dg-request-id"),
    failing=500,
    prefixes=(),
)
