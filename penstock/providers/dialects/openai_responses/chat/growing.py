"""Parts of a streamed answer, each with the events of its kind."""

from typing import Any, Protocol

from penstock.model.chat import Call, Citation, Part, Reasoning, Refusal, Text
from penstock.providers.dialects.openai_responses.chat.events import Message, Output
from penstock.providers.dialects.openai_responses.chat.words import NAME
from penstock.providers.dialects.openai_responses.chat.write_items import (
    annotation,
    call,
    new_id,
    reasoning,
    tokens,
    whole_items,
)

Json = dict[str, Any]


class Growing(Protocol):
    """One part."""

    def add(self, text: str, logprobs: Any) -> None:
        """A piece of it."""
        ...

    def sign(self, signature: str, sealed: str) -> None:
        """Its signature, or sealed content."""
        ...

    def cite(self, citation: Citation) -> None:
        """A source of it."""
        ...

    def close(self) -> None:
        """It has ended."""
        ...


class _Part:
    __slots__ = ("_output",)

    def __init__(self, output: Output) -> None:
        self._output = output

    def add(self, text: str, logprobs: Any) -> None:
        """Nothing grows."""

    def sign(self, signature: str, sealed: str) -> None:
        """Of what was said last."""
        self._output.signed(signature)

    def cite(self, citation: Citation) -> None:
        """Only texts have sources."""

    def close(self) -> None:
        """It came whole."""


class Words(_Part):
    """A text or a refusal, in a message. Without a first piece there is none."""

    __slots__ = ("_annotations", "_kind", "_logprobs", "_message", "_pieces", "_place", "_signature")

    def __init__(self, output: Output, part: Text | Refusal) -> None:
        super().__init__(output)
        self._kind = "refusal" if type(part) is Refusal else "output_text"
        self._signature = part.signature if type(part) is Text else ""
        self._pieces: list[str] = []
        self._annotations: list[Json] = []
        self._logprobs: list[Any] = []
        self._message: Message | None = None
        self._place = 0
        if type(part) is Text:
            for one in part.citations or ():
                self.cite(one)

    def _begun(self) -> Message:
        if self._message is None:
            self._message = self._output.message()
            self._place = self._message.open(self._whole(""))
        return self._message

    def _whole(self, text: str) -> Json:
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": self._annotations, "logprobs": self._logprobs}

    def add(self, text: str, logprobs: Any) -> None:
        message = self._begun()
        self._pieces.append(text)
        if self._kind == "refusal":
            message.say("response.refusal.delta", self._place, delta=text)
            return
        told = tokens(logprobs) if logprobs is not None else []
        self._logprobs += told
        message.say("response.output_text.delta", self._place, delta=text, logprobs=told)

    def sign(self, signature: str, sealed: str) -> None:
        self._signature = signature

    def cite(self, citation: Citation) -> None:
        told = annotation(citation, sum(map(len, self._pieces)))
        if told is None:
            return
        message = self._begun()
        self._annotations.append(told)
        index = len(self._annotations) - 1
        kind = "response.output_text.annotation.added"
        message.say(kind, self._place, annotation_index=index, annotation=told)

    def close(self) -> None:
        if self._message is not None:
            text = "".join(self._pieces)
            if self._kind == "refusal":
                self._message.say("response.refusal.done", self._place, refusal=text)
            else:
                self._message.say("response.output_text.done", self._place, text=text, logprobs=self._logprobs)
            self._message.close(self._place, self._whole(text))
        self._output.signed(self._signature)


class Thinking(_Part):
    """Reasoning; its text is the summary. Without a text and a signature there is no item."""

    __slots__ = ("_id", "_index", "_part", "_pieces")

    def __init__(self, output: Output, part: Reasoning) -> None:
        super().__init__(output)
        self._part = part
        self._id = part.id if part.id and part.origin == NAME else new_id("rs")
        self._index = -1  # -1: no item yet
        self._pieces: list[str] = []

    def _say(self, kind: str, **members: Any) -> None:
        self._output.say(kind, item_id=self._id, output_index=self._index, summary_index=0, **members)

    def _begin(self) -> None:
        if self._index < 0:
            item: Json = {"id": self._id, "type": "reasoning", "summary": [], "status": "in_progress"}
            self._index = self._output.added(item)

    def add(self, text: str, logprobs: Any) -> None:
        self._begin()
        if not self._pieces:
            self._say("response.reasoning_summary_part.added", part={"type": "summary_text", "text": ""})
        self._pieces.append(text)
        self._say("response.reasoning_summary_text.delta", delta=text)

    def sign(self, signature: str, sealed: str) -> None:
        part = self._part
        self._part = Reasoning("", signature or part.signature, sealed or part.sealed, part.origin, part.id, part.extra)

    def close(self) -> None:
        part, text = self._part, "".join(self._pieces)
        if not (text or part.signature or part.sealed):
            return
        self._begin()
        if text:
            self._say("response.reasoning_summary_text.done", text=text)
            self._say("response.reasoning_summary_part.done", part={"type": "summary_text", "text": text})
        told = Reasoning(text, part.signature, part.sealed, part.origin, self._id, part.extra)
        self._output.done(self._index, reasoning(self._id, told))


class Calling(_Part):
    """A call. One of a custom tool that came as a function has its text only when its arguments are whole."""

    __slots__ = ("_id", "_index", "_item", "_member", "_part", "_pieces", "_unwrapped")

    def __init__(self, output: Output, part: Call, free: frozenset[str]) -> None:
        super().__init__(output)
        self._part = Call(part.id or new_id("call"), part.name, "", part.free, extra=part.extra)
        output.signed(part.signature, self._part.id)
        self._unwrapped = free if part.name in free and not part.free else None
        item = call(self._part, free)
        self._member = "input" if item["type"] == "custom_tool_call" else "arguments"
        self._item = {**item, self._member: "", "status": "in_progress"}
        self._pieces: list[str] = []
        self._index = output.added(self._item)

    def _say(self, kind: str, **members: Any) -> None:
        prefix = "response.custom_tool_call_input." if self._member == "input" else "response.function_call_arguments."
        self._output.say(prefix + kind, item_id=self._item["id"], output_index=self._index, **members)

    def add(self, text: str, logprobs: Any) -> None:
        self._pieces.append(text)
        if self._unwrapped is None:
            self._say("delta", delta=text)

    def sign(self, signature: str, sealed: str) -> None:
        self._output.signed(signature, self._part.id)

    def close(self) -> None:
        part = self._part
        part.arguments = "".join(self._pieces)
        whole = call(part, self._unwrapped or frozenset())
        text = whole[self._member]
        if self._unwrapped is not None or (text and not self._pieces):
            self._say("delta", delta=text)
        self._say("done", **{self._member: text})
        self._output.done(self._index, {**whole, "id": self._item["id"]})


def growing(output: Output, part: Part, free: frozenset[str]) -> Growing:
    """The part, which begins now."""
    if type(part) is Text or type(part) is Refusal:
        return Words(output, part)
    if type(part) is Reasoning:
        return Thinking(output, part)
    if type(part) is Call:
        return Calling(output, part, free)
    for item in whole_items(part, free):
        output.whole(item)
    return _Part(output)
