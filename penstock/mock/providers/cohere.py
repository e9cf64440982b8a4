"""Cohere: chat of both versions, whole and as a stream, embeddings and ranking."""

from types import MappingProxyType
from typing import Any

from penstock.core import codec
from penstock.mock.answer import Answer, Ask, Provider, Route, json, pieces, reply, tokens
from penstock.mock.answer import usage as usage_of
from penstock.mock.controls import Pairs
from penstock.mock.providers.cohere_chat import chat_2, reported
from penstock.mock.providers.openai_chat import Style, plainly, speaking
from penstock.mock.providers.openai_embeddings import embeddings, vector

MODELS = ("command-a-03-2025", "embed-v4.0", "rerank-v3.5")
_DIMENSIONS = 256
_SENTENCES = {
    400: "invalid request",
    401: "invalid api token",
    404: "resource not found",
    429: "You are past the per minute request limit, please wait and try again later.",
    500: "internal server error",
}


class _Turn(codec.Struct):
    message: str = ""


class _Chat1(codec.Struct):
    message: str
    chat_history: tuple[_Turn, ...] = ()
    preamble: str = ""
    stream: bool | None = None


class _Embed(codec.Struct):
    texts: list[str]


class _Rerank(codec.Struct):
    query: str
    documents: list[str]


_decode_1 = codec.decoder(_Chat1).decode
_decode_embed = codec.decoder(_Embed).decode
_decode_rerank = codec.decoder(_Rerank).decode


def error(status: int, message: str | None, seed: str) -> bytes:
    return codec.encode(
        {"id": seed, "message": message or _SENTENCES.get(status) or _SENTENCES[status // 500 * 100 + 400]}
    )


def headers(seed: str) -> Pairs:
    return [(b"x-debug-trace-id", seed.encode()), (b"x-endpoint-monthly-call-limit", b"1000")]


def chat_1(ask: Ask) -> Answer:
    given = _decode_1(ask.body)
    text = reply(given.message, ask.controls)
    prompt = given.preamble + "".join(turn.message for turn in given.chat_history) + given.message
    used = usage_of(prompt, text, ask.controls)
    meta: dict[str, Any] = {"api_version": {"version": "1"}}
    if ask.controls.usage != "none":
        meta |= reported(used)
    body = {"response_id": ask.seed, "generation_id": ask.seed, "text": text, "finish_reason": "COMPLETE", "meta": meta}
    if not given.stream:
        return json(body)
    parts = [{"event_type": "text-generation", "text": piece} for piece in pieces(text, ask.controls.frames)]
    first = {"event_type": "stream-start", "generation_id": ask.seed}
    last = {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": body}
    failure = _line({"event_type": "stream-end", "finish_reason": "ERROR", "response": {"text": ""}})
    lines = [_line({"is_finished": one is last, **one}) for one in (first, *parts, last)]
    return Answer(200, b"application/stream+json", lines, stream=True, failure=failure)


def embed(ask: Ask) -> Answer:
    texts = _decode_embed(ask.body).texts
    values = [vector(text, _DIMENSIONS) for text in texts]
    billed = {"billed_units": {"input_tokens": sum(map(tokens, texts))}}
    found = {"float": values} if ask.path.startswith("v2") else values
    return json({"id": ask.seed, "embeddings": found, "texts": texts, "meta": billed})


def rerank(ask: Ask) -> Answer:
    """The more words of the query a document has, the better."""
    given = _decode_rerank(ask.body)
    words = set(given.query.lower().split())
    scores = [len(words & set(text.lower().split())) / max(1, len(words)) for text in given.documents]
    ranked = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    results = [{"index": index, "relevance_score": scores[index]} for index in ranked]
    told = {"id": ask.seed, "results": results, "meta": {"billed_units": {"search_units": 1}}}
    return json(told)


def models(ask: Ask) -> Answer:
    return json({"models": [{"name": name} for name in MODELS], "next_page_token": ""})


def _line(event: dict[str, Any]) -> bytes:
    return codec.encode(event) + b"\n"


COHERE = Provider(
    routes={
        "v1/chat": Route("POST", chat_1, texts=True),
        "v2/chat": Route("POST", chat_2, texts=True),
        "v1/embed": Route("POST", embed),
        "v2/embed": Route("POST", embed),
        "v1/rerank": Route("POST", rerank),
        "v2/rerank": Route("POST", rerank),
        "v1/models": Route("GET", models),
        "compatibility/v1/chat/completions": Route(
            "POST", speaking(Style(usage=plainly, more=MappingProxyType({}))), texts=True
        ),
        "compatibility/v1/embeddings": Route("POST", embeddings),
    },
    error=error,
    headers=headers,
    failing=500,
    prefixes=(),
)
