"""What the provider's own tools used in an answer of OpenAI responses: searches, images, files, code."""

import re

from penstock.core.codec import DecodeError, Raw, Struct, decode, decoder
from penstock.model.usage import Used
from penstock.providers.accounting import Said, members_of
from penstock.providers.dialects._shapes.values import NOTHING, items_of, name, short
from penstock.providers.dialects.openai_responses.shapes import Answer
from penstock.providers.kinds import FILE_SEARCH, IMAGE, INPUT, OUTPUT, TOOL, UNREAD_FEES, WEB_SEARCH


class _Action(Struct):
    type: Raw = NOTHING


class _Item(_Action):
    """An item of the output, and a tool that was offered."""

    model: Raw = NOTHING
    action: Raw = NOTHING


_PAGES = ("open_page", "find_in_page", "find")  # actions of a search that are free
_PAID = (b'"web_search_call"', b'"image_generation_call"', b'"file_search_call"', b'"code_interpreter_call"')
_REASONS = re.compile(r"^(?:o\d|gpt-5(?!.*chat))")  # models whose searches have one price, whatever the tool
_FIXED_TOKENS = re.compile(r"^gpt-4(?:o|\.1)-mini")  # models that pay a fixed number of tokens for a search
_COUNTED = 2  # of these are told by ``tool_usage`` too
ANY = _PAID[0]  # what an output that is not here may hold

_decode_items = decoder(list[_Item]).decode
_decode_action = decoder(_Action).decode


def fees(answer: Answer, unseen: bytes) -> list[Used]:
    """What the provider's own tools used: told by ``tool_usage``, else by the calls in the output."""
    tools = _tool_usage(answer.tool_usage)
    calls = _items(answer.output, b'_call"')
    if unseen or calls is None:
        paid = _PAID[_COUNTED:] if tools else _PAID
        text = unseen or bytes(answer.output)
        unread = [Used(UNREAD_FEES, 1)] if any(word in text for word in paid) else []
        calls = []
    else:
        unread = []
    if not tools and not calls:
        return unread
    counts = {FILE_SEARCH: 0, "code_execution": 0}
    searches = images = 0
    for item in calls:
        match name(item.type):
            case "web_search_call":
                searches += _action(item.action) not in _PAGES
            case "image_generation_call":
                images += 1
            case "file_search_call":
                counts[FILE_SEARCH] += 1
            case "code_interpreter_call":
                counts["code_execution"] += 1
            case _:
                pass
    told = _at(tools, "web_search", "num_requests")
    counts[WEB_SEARCH] = searches if told is None else told
    drawn = _drawn(answer, tools)
    counts[IMAGE] = 0 if drawn else images
    called = [
        Used(kind, count, _tool(answer) if kind == WEB_SEARCH else ()) for kind, count in counts.items() if count > 0
    ]
    return [*called, *drawn, *unread]


def _tool(answer: Answer) -> tuple[tuple[str, str], ...]:
    """The tool that searched, where a search has another price than the list's, or costs tokens beside it."""
    model = name(answer.model)
    for tool in _items(answer.tools, b'"web_search') or []:
        kind = name(tool.type)
        preview = kind.startswith("web_search_preview")
        if (_FIXED_TOKENS.search(model) if not preview else not _REASONS.search(model)) and kind.startswith(
            "web_search"
        ):
            return ((TOOL, kind),)
    return ()


def _action(raw: Raw) -> str:
    try:
        return name(_decode_action(raw).type)
    except DecodeError:
        return ""


def _drawn(answer: Answer, tools: Said) -> list[Used]:
    """The tokens of the images in an answer, which another model made."""
    into, out = _at(tools, "image_gen", "input_tokens"), _at(tools, "image_gen", "output_tokens")
    if not into and not out:
        return []
    tools_offered = _items(answer.tools, b'"image_generation"') or []
    offered = [tool for tool in tools_offered if name(tool.type) == "image_generation"]
    by = (("model", name(offered[0].model) if offered else ""),)
    seen = min(into or 0, _at(tools, "image_gen", "input_tokens_details", "image_tokens") or 0)
    written = min(out or 0, _at(tools, "image_gen", "output_tokens_details", "text_tokens") or 0)
    counts = {INPUT: (into or 0) - seen, "input_image": seen, OUTPUT: written, "output_image": (out or 0) - written}
    return [Used(kind, count, by) for kind, count in counts.items() if count]


def _items(raw: Raw, wanted: bytes) -> list[_Item] | None:
    """The items of a list that has such a word in it; None: they cannot be read."""
    return items_of(raw, _decode_items) if len(raw) and wanted in bytes(raw) else []


def _tool_usage(raw: Raw) -> Said:
    try:
        return members_of(decode(short(raw)))
    except DecodeError:
        return {}


def _at(told: object, *path: str) -> int | None:
    for part in path:
        told = members_of(told).get(part)
    return told if type(told) is int and told >= 0 else None
