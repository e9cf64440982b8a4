"""OpenAI: the provider's routes, models, headers and errors. The answers with a text have a module each."""

from urllib.parse import unquote

from penstock.core import codec
from penstock.mock.answer import CREATED, JSON, SERVER_ERRORS, Answer, Ask, Denial, Fault, Provider, Refusal, Route
from penstock.mock.controls import Pairs
from penstock.mock.providers.openai_chat import chat
from penstock.mock.providers.openai_embeddings import embeddings
from penstock.mock.providers.openai_media import images, speech, transcription
from penstock.mock.providers.openai_responses import responses

MODELS = (
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-5",
    "gpt-5-mini",
    "o4-mini",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "text-embedding-ada-002",
)

_HEADERS: Pairs = [
    (b"openai-organization", b"org-mock"),
    (b"openai-processing-ms", b"7"),
    (b"openai-version", b"2020-10-01"),
    (b"x-ratelimit-limit-requests", b"10000"),
    (b"x-ratelimit-limit-tokens", b"2000000"),
    (b"x-ratelimit-remaining-requests", b"9999"),
    (b"x-ratelimit-remaining-tokens", b"1999900"),
    (b"x-ratelimit-reset-requests", b"6ms"),
    (b"x-ratelimit-reset-tokens", b"3ms"),
]

# status -> type, code, sentence
_ERRORS: dict[int, tuple[str, str | None, str]] = {
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-mock."),
    403: ("invalid_request_error", "forbidden", "You are not allowed to use this resource."),
    404: ("invalid_request_error", None, "Invalid URL."),
    405: ("invalid_request_error", "method_not_supported", "This method is not allowed here."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again later."),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    503: ("server_error", None, "That model is currently overloaded with other requests."),
}


def headers(seed: str) -> Pairs:
    return [*_HEADERS, (b"x-request-id", b"req_" + seed.encode())]


def error(status: int, message: str | None, seed: str) -> bytes:
    usual = ("server_error", None, "The server had an error.") if status >= SERVER_ERRORS else None
    kind, code, sentence = _ERRORS.get(status) or usual or ("invalid_request_error", None, "The request is invalid.")
    return codec.encode({"error": {"message": message or sentence, "type": kind, "param": None, "code": code}})


def models(ask: Ask) -> Answer:
    return Answer(200, JSON, [codec.encode({"object": "list", "data": [_model(name) for name in MODELS]})])


def model(ask: Ask) -> Answer:
    name = unquote(ask.path.removeprefix("models/"))
    if name not in MODELS:
        raise Refusal(404, f"The model '{name}' does not exist")
    return Answer(200, JSON, [codec.encode(_model(name))])


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "openai"}


_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth."
)
_UNTOLD = {"error": {"message": _NO_KEY, "type": "invalid_request_error", "param": None, "code": None}}

OPENAI = Provider(
    routes={
        "chat/completions": Route("POST", chat, texts=True),
        "responses": Route("POST", responses, texts=True),
        "embeddings": Route("POST", embeddings),
        "images/generations": Route("POST", images),
        "audio/transcriptions": Route("POST", transcription),
        "audio/speech": Route("POST", speech),
        "models": Route("GET", models),
        "models/*": Route("GET", model),
    },
    error=error,
    headers=headers,
    failing=500,
    denials={Fault.MISSING: Denial(body=codec.encode(_UNTOLD))},
)
