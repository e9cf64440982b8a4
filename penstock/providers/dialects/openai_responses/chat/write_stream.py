"""The stream for a client that speaks OpenAI responses.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from typing import Any

from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    ChatRequest,
    Cite,
    Close,
    End,
    Event,
    Failure,
    Open,
    Refusal,
    Sign,
    Stop,
    Usage,
    Used,
)
from penstock.providers.dialects._shapes.openai_failure import told_failure
from penstock.providers.dialects.openai_responses.chat.events import Output
from penstock.providers.dialects.openai_responses.chat.growing import Growing, growing
from penstock.providers.dialects.openai_responses.chat.words import ending, written_usage
from penstock.providers.dialects.openai_responses.chat.write_answer import blank, failed, finished
from penstock.providers.dialects.openai_responses.chat.write_items import cut_short, free_tools

Json = dict[str, Any]


class Writer:
    """One answer: of several candidates, the first."""

    __slots__ = ("_asked", "_free", "_output", "_parts", "_refused", "_stop", "_told", "_usage")

    def __init__(self, asked: ChatRequest) -> None:
        self._asked = asked
        self._free = free_tools(asked)
        self._output = Output()
        self._told: Json | None = None  # the response object; None: not begun
        self._parts: dict[int, Growing] = {}  # those that are open
        self._refused = False
        self._stop = ""
        self._usage: Usage | None = None

    def event(self, event: Event) -> bytes:  # noqa: C901  a table
        """The events that say it."""
        if getattr(event, "candidate", 0):
            return b""
        match event:
            case Add():
                self._parts[event.index].add(event.text, event.logprobs)
            case Open():
                self._refused = self._refused or type(event.part) is Refusal
                self._parts[event.index] = growing(self._output, event.part, self._free)
            case Close():
                self._close(event.index)
            case Sign():
                self._parts[event.index].sign(event.signature, event.sealed)
            case Cite():
                self._parts[event.index].cite(event.citation)
            case Begin():
                self._begin(event)
            case Used():
                self._usage = event.usage
            case Stop():
                self._stop = event.reason
            case End():
                self._end()
            case Broken():
                self._broken(event.failure)
        return self._output.taken()

    def _close(self, index: int) -> None:
        if (part := self._parts.pop(index, None)) is not None:
            part.close()

    def _begin(self, event: Begin) -> None:
        self._told = blank(self._asked, event.id, event.model, event.created, event.service_tier)
        self._output.say("response.created", response=self._told)
        self._output.say("response.in_progress", response=self._told)

    def _end(self) -> None:
        for index in sorted(self._parts):
            self._close(index)
        status, details = ending(self._stop, refused=self._refused)
        self._output.leave("completed" if status == "completed" else "incomplete")
        if self._told is None:
            self._begin(Begin("", ""))
        self._finish(status, details)

    def _broken(self, failure: Failure) -> None:
        """Told twice over: clients look for the members of the event, or for an object like that of an answer."""
        told = told_failure(failure)
        plain = {name: told[name] for name in ("code", "message", "param")}
        self._output.say("error", **plain, error=told)
        if self._told is not None:
            self._told["error"] = failed(failure)
            self._finish("failed", None)

    def _finish(self, status: str, details: Json | None) -> None:
        assert self._told is not None
        output = [item for item in self._output.items if item is not None]
        if status == "incomplete":
            cut_short(output)
        self._told["output"] = output
        usage = None if self._usage is None else written_usage(self._usage)
        self._output.say(f"response.{status}", response=finished(self._told, status, details, usage))
