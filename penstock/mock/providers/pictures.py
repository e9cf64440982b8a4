"""Who makes pictures: fal, Ideogram, Adobe Firefly. All of them paint a white dot."""

import re
from base64 import b64decode
from typing import Any

from penstock.core import codec
from penstock.mock.answer import SERVER_ERRORS, Answer, Ask, Provider, Refusal, Route, identified, json
from penstock.mock.controls import Pairs

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg==")
_FIELD = rb'name="%b"\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--'


class _Prompt(codec.Struct):
    prompt: str


class _Request(codec.Struct):
    image_request: _Prompt


_decode = codec.decoder(_Prompt).decode
_decode_request = codec.decoder(_Request).decode


def fal_run(ask: Ask) -> Answer:
    """The picture at once, as on ``fal.run``."""
    return json(_fal(_decode(ask.body).prompt, ask.seed))


def fal_status(ask: Ask) -> Answer:
    return json({"status": "COMPLETED", "request_id": ask.named[-1], "metrics": {"inference_time": 0.7}})


def fal_result(ask: Ask) -> Answer:
    return json(_fal("", ask.named[-1]))


def ideogram(ask: Ask) -> Answer:
    """The prompt is a field of a form; of the older paths, of a JSON object."""
    older = ask.body.startswith(b"{")
    prompt = _decode_request(ask.body).image_request.prompt if older else field(ask.body, b"prompt")
    image = {
        "prompt": prompt,
        "resolution": "1024x1024",
        "is_image_safe": True,
        "seed": _number(ask.seed),
        "url": f"https://ideogram.ai/api/images/ephemeral/{ask.seed}.png",
        "style_type": "GENERAL",
    }
    return json({"created": "2025-01-01T00:00:00Z", "data": [image]})


def firefly(ask: Ask) -> Answer:
    _decode(ask.body)
    output = {"seed": _number(ask.seed), "image": {"url": f"https://pre-signed-firefly-prod.example/{ask.seed}.png"}}
    return json({"size": {"width": 2048, "height": 2048}, "outputs": [output], "contentClass": "art"})


def field(form: bytes, name: bytes) -> str:
    """A field of a multipart form. Raises Refusal where there is none."""
    found = re.search(_FIELD % re.escape(name), form, re.DOTALL)
    if found is None:
        raise Refusal(400, f"{name.decode()}: the form has no such field")
    return found[1].decode("utf-8", "replace")


def _fal(prompt: str, seed: str) -> dict[str, Any]:
    image = {"url": f"https://v3.fal.media/files/{seed}.png", "width": 1, "height": 1, "content_type": "image/png"}
    return {
        "images": [image],
        "timings": {"inference": 0.7},
        "seed": _number(seed),
        "has_nsfw_concepts": [False],
        "prompt": prompt,
    }


def _number(seed: str) -> int:
    return sum(map(ord, seed))


def _detail(status: int, message: str | None, seed: str) -> bytes:
    return codec.encode({"detail": message or _sentence(status)})


def _error(status: int, message: str | None, seed: str) -> bytes:
    return codec.encode({"error": message or _sentence(status)})


def _adobe(status: int, message: str | None, seed: str) -> bytes:
    code = "internal_error" if status >= SERVER_ERRORS else "validation_error"
    return codec.encode({"error_code": code, "message": message or _sentence(status)})


def _sentence(status: int) -> str:
    return _SENTENCES.get(status, "Something went wrong." if status >= SERVER_ERRORS else "The request is invalid.")


def _no_headers(seed: str) -> Pairs:
    return []


_SENTENCES = {401: "Unauthorized", 404: "Not found", 405: "Method Not Allowed", 429: "Too many requests"}

FAL = Provider(
    routes={
        "**/requests/*/status": Route("GET", fal_status),
        "**/requests/*": Route("GET", fal_result),
        "**": Route("POST", fal_run),
    },
    error=_detail,
    headers=identified(b"x-fal-request-id"),
    failing=500,
    prefixes=(),
)
IDEOGRAM = Provider(
    routes={
        "v1/*/generate": Route("POST", ideogram),
        "v1/*/edit": Route("POST", ideogram),
        "v1/*/remix": Route("POST", ideogram),
        "generate": Route("POST", ideogram),
    },
    error=_error,
    headers=_no_headers,
    failing=500,
    prefixes=(),
)
ADOBE_FIREFLY = Provider(
    routes={"v3/images/generate": Route("POST", firefly)},
    error=_adobe,
    headers=identified(b"x-request-id"),
    failing=500,
    prefixes=(),
)
