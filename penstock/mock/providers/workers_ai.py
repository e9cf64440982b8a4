"""Workers AI: models by their names, in Cloudflare's envelope, and the OpenAI-shaped paths beside them."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from penstock.core import codec
from penstock.mock.answer import EVENTS, JSON, SERVER_ERRORS, Answer, Ask, Provider, Route, pieces, reply
from penstock.mock.answer import usage as usage_of
from penstock.mock.controls import Pairs
from penstock.mock.providers.openai_chat import Style, Unasked, plainly, speaking
from penstock.mock.providers.openai_embeddings import embeddings, vector
from penstock.mock.providers.openai_responses import responses
from penstock.mock.providers.pictures import PNG

MODELS = ("@cf/meta/llama-3.1-8b-instruct", "@cf/baai/bge-base-en-v1.5", "@cf/openai/whisper")
_DIMENSIONS = 768
_ERRORS = {
    400: (5006, "Error: required properties are missing"),
    401: (10000, "Authentication error"),
    404: (7003, "Could not route, perhaps your object identifier is invalid?"),
    405: (7001, "Method not allowed for this authentication scheme"),
    429: (3036, "You have used up your daily free allocation."),
    500: (3043, "Internal server error"),
}


class _Message(codec.Struct):
    role: str
    content: str = ""


class _Run(codec.Struct):
    prompt: str = ""
    messages: tuple[_Message, ...] = ()
    text: str | tuple[str, ...] = ()
    stream: bool | None = None


_decode = codec.decoder(_Run).decode


def envelope(result: Any, *errors: dict[str, Any]) -> bytes:
    """Cloudflare's envelope."""
    return codec.encode({"result": result, "success": not errors, "errors": list(errors), "messages": []})


def error(status: int, message: str | None, seed: str) -> bytes:
    code, sentence = _ERRORS.get(status) or _ERRORS[500 if status >= SERVER_ERRORS else 400]
    return envelope(None, {"code": code, "message": message or sentence})


def headers(seed: str) -> Pairs:
    return [(b"cf-ai-req-id", seed.encode()), (b"cf-ray", seed[:16].encode() + b"-MCK")]


def run(ask: Ask) -> Answer:
    """The answer of the kind of model that the name tells of."""
    for word, handler in _KINDS.items():
        if word in ask.named[0]:
            return handler(ask)
    return _text(ask)


def _text(ask: Ask) -> Answer:
    given = _decode(ask.body)
    said = [message.content for message in given.messages if message.role == "user"]
    text = reply(said[-1] if said else given.prompt, ask.controls)
    prompt = given.prompt + "".join(message.content for message in given.messages)
    told: dict[str, Any] = {"usage": plainly(usage_of(prompt, text, ask.controls))}
    if ask.controls.usage == "none":
        told = {}
    if not given.stream:
        return Answer(200, JSON, [envelope({"response": text, **told})])
    events = [{"response": piece, "p": "abdef"} for piece in pieces(text, ask.controls.frames)]
    frames = [b"data: %b\n\n" % codec.encode(event) for event in [*events, {"response": "", **told}]]
    failure = b"data: %b\n\n" % error(500, None, ask.seed)
    return Answer(200, EVENTS, [*frames, b"data: [DONE]\n\n"], stream=True, failure=failure)


def _embed(ask: Ask) -> Answer:
    text = _decode(ask.body).text
    data = [vector(one, _DIMENSIONS) for one in ([text] if isinstance(text, str) else text)]
    return Answer(200, JSON, [envelope({"shape": [len(data), _DIMENSIONS], "data": data, "pooling": "cls"})])


def _paint(ask: Ask) -> Answer:
    return Answer(200, b"image/png", [PNG])


def _hear(ask: Ask) -> Answer:
    text = f"{len(ask.body)} bytes were heard."
    return Answer(200, JSON, [envelope({"text": text, "word_count": 4, "words": []})])


def models(ask: Ask) -> Answer:
    return Answer(200, JSON, [envelope([{"id": name, "name": name} for name in MODELS])])


_KINDS: dict[str, Callable[[Ask], Answer]] = {
    "embed": _embed,
    "/bge-": _embed,
    "stable-diffusion": _paint,
    "flux": _paint,
    "whisper": _hear,
}

WORKERS_AI = Provider(
    routes={
        "run/**": Route("POST", run, texts=True),
        "v1/chat/completions": Route(
            "POST", speaking(Style(usage=plainly, unasked=Unasked.EXTRA, more=MappingProxyType({}))), texts=True
        ),
        "v1/embeddings": Route("POST", embeddings),
        "v1/responses": Route("POST", responses, texts=True),
        "models/search": Route("GET", models),
    },
    error=error,
    headers=headers,
    failing=500,
    prefixes=(),
)
