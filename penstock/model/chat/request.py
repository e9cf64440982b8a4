"""A request for the next turn of a conversation."""

from typing import Any

from penstock.core.codec import Struct
from penstock.model.chat.parts import Cache, Extra, Part, kind_of


class Turn(Struct):
    """One message as its dialect has it: turns of one role may follow each other.

    ``role``: system, developer, user, assistant, or tool (only results, where a dialect has a role for them). A dialect
    whose system prompt stands beside its messages has it as the first turn.
    """

    role: str
    content: list[Part]
    name: str = ""  # of the participant
    extra: Extra = None


class Function(Struct):
    """A tool of the client's. ``schema`` is the JSON schema of its arguments; None: it has none."""

    name: str
    description: str = ""
    schema: Any = None
    strict: bool | None = None
    free: bool = False  # a custom tool, whose input is any text
    cache: Cache | None = None
    extra: Extra = None


class NativeTool(Struct):
    """A tool that the provider itself runs, as it stands in ``dialect``: web search, code execution."""

    dialect: str
    value: dict[str, Any]

    @property
    def kind(self) -> str:
        """What the dialect calls it, for notes."""
        return kind_of(self.value)


Tool = Function | NativeTool


class ToolChoice(Struct):
    """``mode``: auto, none, required, or function (that of ``name``).

    ``allowed``: names of the functions that may be called, where not all of the tools may; a dialect without a place
    for it leaves the others out of its tools.
    """

    mode: str
    name: str = ""
    allowed: list[str] | None = None
    extra: Extra = None


class Format(Struct):
    """The form of the answer: text, json (any object), or schema."""

    kind: str
    name: str = ""
    description: str = ""
    schema: Any = None
    strict: bool | None = None
    extra: Extra = None


class Effort(Struct):
    """How much the model is to think. ``level``: none, minimal, low, medium, high, xhigh, max; empty: not told.

    ``budget``: tokens; None: not told, -1: as many as the model wants. ``shown``: whether the thinking, or a summary of
    it, is wanted in the answer; None: not told.
    """

    level: str = ""
    budget: int | None = None
    shown: bool | None = None
    extra: Extra = None


class ChatRequest(Struct):
    """``extra``: top-level members that ``dialect`` alone has. ``moot``: those of them that need nothing of a provider.

    What a provider of another dialect cannot be told of ``extra`` is lost; of ``moot``, nothing is.

    ``lacks``: what the provider does not take of its dialect, by the names of members and roles there.

    ``bound``: why no other dialect can say it (an answer of its provider's is to be continued), as words for
    ``MalformedChat``; empty: others can. Whoever chooses the provider looks at it.
    """

    dialect: str
    model: str
    turns: list[Turn]
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    parallel: bool | None = None  # whether several tools may be called at once
    format: Format | None = None
    effort: Effort | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    candidates: int | None = None  # how many answers; None: one
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: int | None = None  # how many alternatives a token; 0: only the token's own; None: none are wanted
    user: str = ""
    service_tier: str = ""
    stream: bool = False
    stream_usage: bool | None = None  # whether a stream is to tell its usage, in a dialect that asks
    moot: Extra = None
    bound: str = ""
    lacks: frozenset[str] = frozenset()
    extra: Extra = None
