"""The stream of a provider that speaks OpenAI responses.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from typing import Any

from penstock.core.codec import decode
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    Cite,
    Close,
    End,
    Event,
    Open,
    Part,
    Reasoning,
    Refusal,
    Sign,
    Stop,
    Text,
    Used,
)
from penstock.providers.dialects._shapes.members import Members, object_or_none
from penstock.providers.dialects._shapes.openai_failure import failure_of
from penstock.providers.dialects.openai_responses.chat.read_answer import chat_logprobs
from penstock.providers.dialects.openai_responses.chat.read_items import citation_of, turns_of
from penstock.providers.dialects.openai_responses.chat.words import NAME, stop_of, usage_of

Json = dict[str, Any]
Place = tuple[int, int]  # of a part: item, and part of its content; the second is -1 for an item that is one part

_GROWS = {  # what grows, and whether it is a part of a message
    "response.output_text.delta": Text,
    "response.refusal.delta": Refusal,
    "response.function_call_arguments.delta": None,
    "response.custom_tool_call_input.delta": None,
    "response.reasoning_summary_text.delta": None,
    "response.reasoning_text.delta": None,
}


class Reader:
    """A part is known by its item and its place in it."""

    __slots__ = ("_calls", "_grown", "_next", "_open", "_refused", "_seen")

    def __init__(self) -> None:
        self._next = 0  # index of the part that is opened next
        self._open: dict[Place, int] = {}
        self._seen: set[int] = set()  # items of which something has come
        self._grown: set[int] = set()  # parts of which a piece has come
        self._calls = False
        self._refused = False

    def data(self, data: bytes) -> list[Event]:  # noqa: C901, PLR0911  a table
        """What one event says."""
        told: Json = decode(data)
        kind: str = told["type"]
        if kind in _GROWS:
            return self._grow(told, kind)
        match kind:
            case "response.output_item.added":
                return self._item(told)
            case "response.content_part.done":
                return self._close((told["output_index"], told["content_index"]))
            case "response.output_item.done":
                return self._done(told)
            case "response.output_text.annotation.added":
                index, events = self._part((told["output_index"], told["content_index"]), Text)
                return [*events, Cite(citation_of(Members(told["annotation"])), index)]
            case "response.reasoning_summary_part.added" if told["summary_index"] > 0:
                return [Add("\n\n", self._open[told["output_index"], -1])]
            case "response.created":
                return [_begin(told["response"])]
            case "response.completed" | "response.incomplete":
                return self._end(told["response"])
            case "response.failed":
                return [Broken(failure_of(told["response"].get("error") or told["response"]))]
            case "error":
                return [Broken(failure_of(told.get("error") or told))]
            case _:
                return []

    def end(self) -> list[Event]:
        """The dialect's own end is an event."""
        return []

    def _part(self, place: Place, kind: type[Text | Refusal]) -> tuple[int, list[Event]]:
        """The part of a message, which is opened if it is new."""
        index = self._open.get(place)
        if index is not None:
            return index, []
        return self._opened(place, kind(""))

    def _opened(self, place: Place, part: Part) -> tuple[int, list[Event]]:
        index = self._open[place] = self._next
        self._next += 1
        self._seen.add(place[0])
        self._calls = self._calls or type(part) is Call
        self._refused = self._refused or type(part) is Refusal
        return index, [Open(part, index)]

    def _grow(self, told: Json, kind: str) -> list[Event]:
        made = _GROWS[kind]
        if made is None:
            index = self._open[told["output_index"], -1]
            self._grown.add(index)
            return [Add(told["delta"], index)]
        index, events = self._part((told["output_index"], told["content_index"]), made)
        logprobs = chat_logprobs(told["logprobs"]) if told.get("logprobs") else None
        events.append(Add(told["delta"], index, logprobs=logprobs))
        return events

    def _item(self, told: Json) -> list[Event]:
        item: Json = told["item"]
        place = (told["output_index"], -1)
        match item["type"]:
            case "reasoning":
                return self._opened(place, Reasoning("", origin=NAME, id=item.get("id") or ""))[1]
            case "function_call":
                return self._opened(place, Call(item["call_id"], item["name"], ""))[1]
            case "custom_tool_call":
                return self._opened(place, Call(item["call_id"], item["name"], "", free=True))[1]
            case _:
                return []  # a message has parts; others are told when they are whole

    def _done(self, told: Json) -> list[Event]:
        item: Json = told["item"]
        number = told["output_index"]
        if number not in self._seen:
            return self._whole(number, item)
        index = self._open.get((number, -1))
        if index is None:
            places = [place for place in self._open if place[0] == number]
            return [event for place in places for event in self._close(place)]
        events: list[Event] = []
        (part,) = turns_of([Members(item)])[0].content
        if index not in self._grown and (text := _taken(part)):
            events.append(Add(text, index))
        if type(part) is Reasoning and part.sealed:
            events.append(Sign("", part.sealed, index))
        return [*events, *self._close((number, -1))]

    def _whole(self, number: int, item: Json) -> list[Event]:
        """An item that came in one go."""
        events: list[Event] = []
        for turn in turns_of([Members(item, f"output[{number}]")]):
            for place, part in enumerate(turn.content):
                events += self._at_once((number, place), part)
        return events

    def _at_once(self, place: Place, part: Part) -> list[Event]:
        text = _taken(part)
        index, events = self._opened(place, part)
        return [*events, *([Add(text, index)] if text else ()), *self._close(place)]

    def _close(self, place: Place) -> list[Event]:
        index = self._open.pop(place, None)
        return [] if index is None else [Close(index)]

    def _end(self, response: Json) -> list[Event]:
        events = [event for place in [*self._open] for event in self._close(place)]
        if (usage := object_or_none(response.get("usage"))) is not None:
            events.append(Used(usage_of(usage)))
        return [*events, Stop(stop_of(response, calls=self._calls, refused=self._refused)), End()]


def _taken(part: Part) -> str:
    """The text or the arguments, taken out of the part."""
    text = ""
    if isinstance(part, Text | Refusal | Reasoning):
        text, part.text = part.text, ""
    elif isinstance(part, Call):
        text, part.arguments = part.arguments, ""
    return text


def _begin(response: Json) -> Begin:
    created = response.get("created_at")
    return Begin(
        response.get("id") or "",
        response.get("model") or "",
        int(created) if isinstance(created, int | float) else 0,
        response.get("service_tier") or "",
    )
