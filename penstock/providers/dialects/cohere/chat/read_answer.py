"""An answer of Cohere.

https://docs.cohere.com/reference/chat
"""

from penstock.core.errors import MalformedChat
from penstock.model.chat import Answer, Call, Candidate, Native, Part, Reasoning, Text
from penstock.providers.dialects._shapes.members import Members, members_of, object_or_none
from penstock.providers.dialects.cohere.chat.words import NAME, citations_of, is_of_text, stop_of, usage_of


def read_answer(body: bytes) -> Answer:
    """Raises MalformedChat where it is none."""
    told = members_of(body)
    if object_or_none(told.left.get("message")) is None:
        raise MalformedChat("message: is missing.")
    message, usage = told.object("message"), object_or_none(told.any("usage"))
    assert message is not None
    candidate = Candidate(_content(message), stop_of(told.text("finish_reason")))
    return Answer(told.text("id"), told.text("model"), [candidate], None if usage is None else usage_of(usage))


def _content(message: Members) -> list[Part]:
    """A plan, which is text as well, comes before the calls that it leads to."""
    blocks = [_part(block) for block in message.objects("content")]
    for told in message.objects("citations"):
        index = told.whole("content_index") or 0
        text = blocks[index] if 0 <= index < len(blocks) else None
        if type(text) is not Text:
            text = next((block for block in blocks if type(block) is Text), None)
        if text is not None and is_of_text(told.left) and (found := citations_of(told.left)):
            text.citations = [*(text.citations or ()), *found]
    plan = message.text("tool_plan")
    return [*([Text(plan)] if plan else []), *blocks, *[_call(call) for call in message.objects("tool_calls")]]


def _part(block: Members) -> Part:
    match block.left:
        case {"type": "text"}:
            return Text(block.text("text"))
        case {"type": "thinking"}:
            return Reasoning(block.text("thinking"), origin=NAME)
        case _:
            return Native(NAME, block.left)


def _call(told: Members) -> Call:
    function = told.object("function")
    if function is None:
        raise MalformedChat(f"{told.at('function')}: is missing.")
    return Call(told.text("id"), function.text("name"), function.text("arguments") or "{}")
