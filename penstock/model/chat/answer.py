"""A whole answer."""

from typing import Any

from penstock.core.codec import Struct
from penstock.model.chat.parts import Extra, Part


class StopReason:
    """Why a model stopped."""

    END = "end"
    LENGTH = "length"
    SEQUENCE = "sequence"  # one of the request's stop sequences
    TOOLS = "tools"
    FILTER = "filter"  # the provider's safety system
    REFUSAL = "refusal"  # the model's own
    PAUSE = "pause"  # of a long turn: it is to be sent back, to go on
    ERROR = "error"  # the provider could not go on


class Usage(Struct):
    """Tokens. ``input`` holds what was read from and written to a cache; ``output`` holds the reasoning.

    None: not told. ``extra``: figures that the dialect alone has, under their own names.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    input_audio: int | None = None
    output_audio: int | None = None
    extra: Extra = None


class Candidate(Struct):
    """One answer. ``stop`` is a ``StopReason``; empty: not told. ``logprobs`` as OpenAI chat has them."""

    content: list[Part]
    stop: str = ""
    sequence: str = ""  # the stop sequence that was met
    index: int = 0
    logprobs: Any = None
    extra: Extra = None


class Answer(Struct):
    """``created``: seconds since the epoch; 0: not told. ``id`` is empty where the dialect has none."""

    id: str
    model: str
    candidates: list[Candidate]
    usage: Usage | None = None
    created: int = 0
    service_tier: str = ""
    extra: Extra = None


class Failure(Struct):
    """An error of a provider, as its dialect told it. ``kind`` is its own word for it; empty: none."""

    message: str
    kind: str = ""
    code: str = ""
    param: str = ""
