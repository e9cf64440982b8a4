"""The examples of the catalogue's rows: a call, what is sent, and what its log row tells."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from penstock.providers import catalog
from penstock.providers.catalog import Example, Provider
from penstock.providers.templates import PART
from penstock.providers.upstream import Upstream

OPERATOR = "https://operator.example"  # the base URL of rows that wait for one

_MESSAGES: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
# by dialect, or that and the type of the request; the tokens that the mock counts
_BODIES: dict[str, tuple[dict[str, Any], tuple[int | None, int | None]]] = {
    "anthropic": (_MESSAGES | {"max_tokens": 5}, (2, 4)),
    "gemini": ({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}, (2, 4)),
    "bedrock_converse": ({"messages": [{"role": "user", "content": [{"text": "hello"}]}]}, (2, 4)),
    "bedrock_invoke": (_MESSAGES | {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5}, (2, 4)),
    "cohere chat": ({"message": "hello"} | _MESSAGES, (2, 4)),  # of both versions
    "cohere embed": ({"texts": ["hello"]}, (2, 0)),
    "cohere rerank": ({"query": "hello", "documents": ["x"]}, (None, None)),
    "openai_chat": (_MESSAGES, (2, 4)),
    "openai_embeddings": ({"input": "x"}, (1, 0)),
    "openai_media": ({"prompt": "hello"}, (2, 272)),
    "openai_media audio.transcriptions": ({}, (None, None)),
    "openai_speech": ({"input": "hello", "voice": "alloy"}, (None, None)),
    "vertex_predict": ({"instances": [{"content": "hello"}]}, (2, 0)),
    "workers_ai": (_MESSAGES, (2, 4)),
    "openai_responses": ({"input": "hello"}, (2, 4)),
}


class Call(NamedTuple):
    """An example that the simulated providers answer."""

    slug: str
    example: Example
    body: bytes
    tokens: tuple[int | None, int | None]

    def __str__(self) -> str:
        return f"{self.slug}/{self.example.path}"


def rows() -> list[Provider]:
    """Every row once."""
    return [row for slug, row in catalog.load().items() if slug == row.id]


def upstream(row: Provider) -> Upstream:
    """The row at its own address, or at OPERATOR where it has none."""
    return Upstream(row, OPERATOR if row.unconfigured else None)


def dialect(row: Provider, example: Example) -> str:
    """The dialect of the operation that an example calls."""
    path = example.path.partition("?")[0]
    return upstream(row).target(path.encode()).endpoint.dialect


def calls(of: Iterable[Provider]) -> Iterator[Call]:
    """The examples that are simulated."""
    for row in of:
        for example in row.examples:
            if name := dialect(row, example):
                body, tokens = _BODIES.get(f"{name} {example.request_type}") or _BODIES[name]
                sent = example.body or json.dumps({"model": example.model} | body)
                yield Call(row.id, example, sent.encode(), tokens)
            elif example.body:
                yield Call(row.id, example, example.body.encode(), (None, None))


def below(row: Provider) -> str:
    """What a path must begin with to lead anywhere: the first route with its parts filled in, or nothing."""
    if any(route.path is None for route in row.routes):
        return ""
    return PART.sub("some-thing", f"{row.routes[0].path}/")
