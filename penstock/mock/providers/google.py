"""Gemini, as Google AI Studio and as Vertex AI have it; on the latter also Claude, and Google's older embeddings."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from penstock.core import codec
from penstock.mock.answer import EVENTS, JSON, SERVER_ERRORS, Answer, Ask, Denial, Fault, Provider, Route, json
from penstock.mock.answer import tokens as count
from penstock.mock.controls import Pairs
from penstock.mock.providers.anthropic_messages import messages
from penstock.mock.providers.gemini import chunks, prompt, whole
from penstock.mock.providers.gemini_request import Content, read, text
from penstock.mock.providers.openai_chat import Style, Unasked, plainly, speaking
from penstock.mock.providers.openai_embeddings import embeddings, vector

MODELS = ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001")
_DIMENSIONS = 768

_STATUSES = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission."),
    404: ("NOT_FOUND", "Requested entity was not found."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    500: ("INTERNAL", "An internal error has occurred."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "The request could not be completed in time."),
}


class _Embed(codec.Struct):
    content: Content


class _Instance(codec.Struct):
    content: str = ""


class _Predict(codec.Struct):
    instances: list[_Instance]


_decode_embed = codec.decoder(_Embed).decode
_members = codec.decoder(dict[str, Any]).decode
_decode_predict = codec.decoder(_Predict).decode
_chat = speaking(Style(usage=plainly, unasked=Unasked.NOT, more=MappingProxyType({})))


def error(status: int, message: str | None, seed: str) -> bytes:
    name, sentence = _STATUSES.get(status) or _STATUSES[500 if status >= SERVER_ERRORS else 400]
    return codec.encode({"error": {"code": status, "message": message or sentence, "status": name}})


def headers(seed: str) -> Pairs:
    return [(b"vary", b"Origin, X-Origin, Referer"), (b"server", b"scaffolding on HTTPServer2")]


def generate(ask: Ask) -> Answer:
    return json(whole(ask))


def stream(ask: Ask) -> Answer:
    """Events with ``alt=sse``, else one list in pieces."""
    told = [codec.encode(chunk) for chunk in chunks(ask)]
    failure = error(503, None, ask.seed)
    if ask.query.get("alt") == "sse":
        events = [b"data: %b\r\n\r\n" % chunk for chunk in told]
        return Answer(200, EVENTS, events, stream=True, failure=b"data: %b\r\n\r\n" % failure)
    frames = [(b"[%b\n" if not n else b",\r\n%b\n") % chunk for n, chunk in enumerate(told)]
    return Answer(200, JSON, [*frames, b"]"], stream=True, failure=b",\r\n" + failure + b"]")


def count_tokens(ask: Ask) -> Answer:
    return json({"totalTokens": count(prompt(read(ask.body)))})


def embed(ask: Ask) -> Answer:
    values = vector(text(_decode_embed(ask.body).content), _DIMENSIONS)
    return json({"embedding": {"values": values}})


def predict(ask: Ask) -> Answer:
    told = [
        {
            "embeddings": {
                "values": vector(one.content, _DIMENSIONS),
                "statistics": {"token_count": count(one.content), "truncated": False},
            }
        }
        for one in _decode_predict(ask.body).instances
    ]
    return json({"predictions": told})


def claude(ask: Ask, **more: Any) -> Answer:
    """Anthropic's messages, of the model that the path names."""
    return messages(replace(ask, body=codec.encode(_members(ask.body) | {"model": ask.named[-1]} | more)))


def models(ask: Ask) -> Answer:
    listed = [{"name": f"models/{name}", "displayName": name} for name in MODELS]
    return json({"models": listed})


def vertex_models(ask: Ask) -> Answer:
    """The models of a project's own: none."""
    return json({})


def _gemini(before: str) -> dict[str, Route]:
    return {
        f"{before}models/*:generateContent": Route("POST", generate, texts=True),
        f"{before}models/*:streamGenerateContent": Route("POST", stream, texts=True),
        f"{before}models/*:countTokens": Route("POST", count_tokens),
        f"{before}models/*:embedContent": Route("POST", embed),
    }


_NOT_VALID = "API key not valid. Please pass a valid API key."
_INVALID = {
    "error": {
        "code": 400,
        "message": _NOT_VALID,
        "status": "INVALID_ARGUMENT",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            },
            {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": _NOT_VALID},
        ],
    }
}
_UNREGISTERED = (
    "Method doesn't allow unregistered callers (callers without established identity)."
    " Please use API Key or other form of API consumer identity to call this API."
)
_PROJECT = "v1/projects/*/locations/*/"

GOOGLE_AI_STUDIO = Provider(
    routes={
        **_gemini("v1/"),
        **_gemini("v1beta/"),
        "v1/models": Route("GET", models),
        "v1beta/models": Route("GET", models),
        "v1beta/openai/chat/completions": Route("POST", _chat, texts=True),
        "v1beta/openai/embeddings": Route("POST", embeddings),
    },
    error=error,
    headers=headers,
    failing=503,
    prefixes=(),
    denials={
        Fault.MISSING: Denial(403, _UNREGISTERED),
        Fault.WRONG: Denial(400, body=codec.encode(_INVALID)),
    },
)
GOOGLE_VERTEX_AI = Provider(
    routes={
        **_gemini(f"{_PROJECT}publishers/google/"),
        **_gemini("v1/publishers/google/"),
        f"{_PROJECT}publishers/google/models/*:predict": Route("POST", predict),
        f"{_PROJECT}publishers/anthropic/models/*:rawPredict": Route("POST", claude, texts=True),
        f"{_PROJECT}publishers/anthropic/models/*:streamRawPredict": Route("POST", claude, texts=True),
        f"{_PROJECT}models": Route("GET", vertex_models),
        f"{_PROJECT}endpoints/openapi/chat/completions": Route("POST", _chat, texts=True),
    },
    error=error,
    headers=headers,
    failing=503,
    prefixes=(),
)
