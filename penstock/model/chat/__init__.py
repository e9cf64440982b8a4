"""The neutral form of a conversation, in which dialects meet: a request, an answer, and the events of a stream.

Plain values that hold what any dialect can say. What one dialect alone has is kept beside it, under its own name
(``extra``), for that dialect; a translation into another one names what it had to leave out (``Notes``).
"""

from penstock.model.chat.answer import Answer, Candidate, Failure, StopReason, Usage
from penstock.model.chat.events import Add, Begin, Broken, Cite, Close, End, Event, Open, Sign, Stop, Used
from penstock.model.chat.notes import Notes
from penstock.model.chat.parts import (
    Cache,
    Call,
    Citation,
    Extra,
    Media,
    Native,
    Part,
    Reasoning,
    Refusal,
    Result,
    Text,
)
from penstock.model.chat.request import ChatRequest, Effort, Format, Function, NativeTool, Tool, ToolChoice, Turn

__all__ = [
    "Add",
    "Answer",
    "Begin",
    "Broken",
    "Cache",
    "Call",
    "Candidate",
    "ChatRequest",
    "Citation",
    "Cite",
    "Close",
    "Effort",
    "End",
    "Event",
    "Extra",
    "Failure",
    "Format",
    "Function",
    "Media",
    "Native",
    "NativeTool",
    "Notes",
    "Open",
    "Part",
    "Reasoning",
    "Refusal",
    "Result",
    "Sign",
    "Stop",
    "StopReason",
    "Text",
    "Tool",
    "ToolChoice",
    "Turn",
    "Usage",
    "Used",
]
