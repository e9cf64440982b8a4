"""Anthropic messages, whole and as a stream, and the counting of their tokens."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from penstock.core import codec
from penstock.mock.answer import EVENTS, JSON, Answer, Ask, Refusal, Usage, pieces, tokens, usage
from penstock.mock.conversation import Saying, say, sign
from penstock.mock.providers.anthropic_request import NAME, Prompt, heard, read, text

_FAILURE = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'


_decode_prompt = codec.decoder(Prompt).decode


def messages(ask: Ask) -> Answer:
    given = read(ask.body)
    if given.max_tokens < 1:
        raise Refusal(400, "max_tokens: must be given, and at least 1")
    saying = say(heard(given), ask.controls)
    used = usage(_prompt(given), saying.spoken, ask.controls, thought=saying.thought)
    blocks = _blocks(ask, saying, shown=given.thinking is None or given.thinking.display != "omitted")
    stop = "tool_use" if saying.calls else "end_turn"
    if given.stream:
        events = [_event(event) for event in _events(ask, given.model, blocks, stop, used)]
        return Answer(200, EVENTS, events, stream=True, failure=_FAILURE)
    content = [block.whole for block in blocks]
    return Answer(200, JSON, [codec.encode(_message(ask, given.model, content, stop, reported(used, used.output)))])


def count_tokens(ask: Ask) -> Answer:
    return Answer(200, JSON, [codec.encode({"input_tokens": tokens(_prompt(_decode_prompt(ask.body)))})])


def _prompt(given: Prompt) -> str:
    return "".join([text(given.system), *(text(message.content) for message in given.messages)])


class _Block(NamedTuple):
    """A block of the content: whole, as it begins, and what it grows by."""

    whole: dict[str, Any]
    begun: dict[str, Any]
    deltas: list[dict[str, Any]]


def _blocks(ask: Ask, saying: Saying, *, shown: bool) -> list[_Block]:
    frames = ask.controls.frames
    blocks: list[_Block] = []
    if saying.thought:
        thought = saying.thought if shown else ""
        block = {"type": "thinking", "thinking": thought, "signature": sign(NAME, ask.seed, thought)}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(thought, 0)]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        blocks.append(_Block(block, block | {"thinking": "", "signature": ""}, deltas))
    for index, call in enumerate(saying.calls):
        block = {"type": "tool_use", "id": f"toolu_{index}{ask.seed}", "name": call.name, "input": call.arguments}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *call.cut(frames))]
        blocks.append(_Block(block, block | {"input": {}}, deltas))
    if not saying.calls:
        block = {"type": "text", "text": saying.text}
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(saying.text, frames)]
        blocks.append(_Block(block, block | {"text": ""}, deltas))
    return blocks


def _events(ask: Ask, model: str, blocks: list[_Block], stop: str, used: Usage) -> Iterator[dict[str, Any]]:
    total = {"usage": reported(used, used.output)}
    last_text = ask.controls.usage == "last-text"
    begun = _message(ask, model, [], None, reported(used, 1))
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block.begun}
        if not index:
            yield {"type": "ping"}
        for number, part in enumerate(block.deltas, 1):
            delta = {"type": "content_block_delta", "index": index, "delta": part}
            last = number == len(block.deltas) and index == len(blocks) - 1
            yield delta | total if last_text and last else delta
        yield {"type": "content_block_stop", "index": index}
    ended = {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}}
    yield ended if ask.controls.usage else ended | total
    yield {"type": "message_stop"}


def _message(
    ask: Ask, model: str, content: list[dict[str, Any]], stop: str | None, used: dict[str, Any]
) -> dict[str, Any]:
    body = {
        "id": f"msg_{ask.seed}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": used,
    }
    if ask.controls.usage == "none":
        del body["usage"]
    return body


def reported(used: Usage, output: int) -> dict[str, Any]:
    """The usage object; ``output`` is what was written so far. Thinking is told only where there was some."""
    thought = {"output_tokens_details": {"thinking_tokens": used.reasoning}} if used.reasoning else {}
    return {
        "input_tokens": used.fresh,
        "cache_creation_input_tokens": used.cache_write,
        "cache_read_input_tokens": used.cached,
        "output_tokens": output,
        **thought,
    }


def _event(event: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), codec.encode(event))
