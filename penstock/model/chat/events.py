"""A streamed answer, event by event.

``Begin``, then parts of each candidate, then its ``Stop``; ``Used`` at any time, a later one replacing an earlier one;
at last ``End``, or ``Broken``. A part is opened, grows, and is closed; ``index`` counts the parts of a candidate from 0
in the order in which they were opened. A part may be opened before another is closed, and may grow after that.
"""

from typing import Any

from penstock.core.codec import Struct
from penstock.model.chat.answer import Failure, Usage
from penstock.model.chat.parts import Citation, Extra, Part


class Begin(Struct):
    """The answer has begun."""

    id: str
    model: str
    created: int = 0
    service_tier: str = ""


class Open(Struct):
    """A part begins; ``part`` holds what is known of it by now, and none of its text or arguments."""

    part: Part
    index: int
    candidate: int = 0


class Add(Struct):
    """A piece of the part's text, reasoning, refusal or arguments."""

    text: str
    index: int
    candidate: int = 0
    logprobs: Any = None


class Sign(Struct):
    """The part's signature, or sealed content, whole. One of both is empty."""

    signature: str
    sealed: str
    index: int
    candidate: int = 0


class Cite(Struct):
    """A source of the text part."""

    citation: Citation
    index: int
    candidate: int = 0


class Close(Struct):
    """The part has ended."""

    index: int
    candidate: int = 0


class Stop(Struct):
    """The candidate has ended."""

    reason: str  # StopReason
    sequence: str = ""
    candidate: int = 0
    extra: Extra = None


class Used(Struct):
    """What the answer has used so far."""

    usage: Usage


class End(Struct):
    """The answer is whole: its dialect's own end came."""


class Broken(Struct):
    """The provider says that it could not go on."""

    failure: Failure


Event = Begin | Open | Add | Sign | Cite | Close | Stop | Used | End | Broken
