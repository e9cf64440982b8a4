"""OpenAI embeddings: a unit vector made from the text, so that the same text always lies in the same place."""

import hashlib
import math
import struct
from base64 import b64encode
from typing import Any

from penstock.core import codec
from penstock.mock.answer import JSON, Answer, Ask, Refusal, tokens

DIMENSIONS = {"text-embedding-3-large": 3072}
_MOST_DIMENSIONS = 3072
_MOST_INPUTS = 2048


class _Embeddings(codec.Struct):
    model: str
    input: str | list[str | int | list[int]]
    encoding_format: str | None = None
    dimensions: int | None = None


_decode = codec.decoder(_Embeddings).decode


def embeddings(ask: Ask) -> Answer:
    given = _decode(ask.body)
    dimensions = given.dimensions if given.dimensions is not None else DIMENSIONS.get(given.model, 1536)
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise Refusal(400, f"dimensions must be from 1 to {_MOST_DIMENSIONS}, not {dimensions}")
    if given.encoding_format not in (None, "float", "base64"):
        raise Refusal(400, f"encoding_format must be float or base64, not {given.encoding_format}")
    inputs = _inputs(given.input)
    render = _base64 if given.encoding_format == "base64" else _floats
    data = [
        {"object": "embedding", "index": index, "embedding": render(vector(one, dimensions))}
        for index, one in enumerate(inputs)
    ]
    count = sum(tokens(one) if isinstance(one, str) else len(one) for one in inputs)
    used = {"prompt_tokens": count, "total_tokens": count}
    return Answer(200, JSON, [codec.encode({"object": "list", "data": data, "model": given.model, "usage": used})])


def vector(text: str | list[int], dimensions: int) -> list[float]:
    """The embedding of a text or of token numbers; length 1."""
    seed = text.encode() if isinstance(text, str) else codec.encode(text)
    numbers = struct.unpack(f"<{dimensions}h", hashlib.shake_256(seed).digest(2 * dimensions))
    norm = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return [number / norm for number in numbers]


def _inputs(given: str | list[str | int | list[int]]) -> list[str | list[int]]:
    if isinstance(given, str):
        return [given]
    if not 1 <= len(given) <= _MOST_INPUTS:
        raise Refusal(400, f"input must have from 1 to {_MOST_INPUTS} elements, not {len(given)}")
    numbers = [one for one in given if isinstance(one, int)]
    others = [one for one in given if not isinstance(one, int)]
    if numbers and others:
        raise Refusal(400, "input must be texts, or token numbers, not both in one list")
    return [numbers] if numbers else others


def _packed(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def _base64(values: list[float]) -> str:
    return b64encode(_packed(values)).decode()


def _floats(values: list[float]) -> Any:
    return struct.unpack(f"<{len(values)}f", _packed(values))  # single precision, as in base64
