"""A request of a client that speaks Converse, for whoever reads the log. Its path names the model.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Function, Media, Part, Result, Tool, Turn
from penstock.providers.dialects._shapes.members import Members, members_of
from penstock.providers.dialects.bedrock_converse.chat.read_blocks import part_of
from penstock.providers.dialects.bedrock_converse.chat.words import NAME

_MEDIA = ("image", "document", "video", "audio")


def read_request(body: bytes) -> ChatRequest:
    """Raises MalformedChat where it is none."""
    told = members_of(body)
    turns = [Turn(message.text("role"), _content(message)) for message in told.objects("messages")]
    if not turns:
        raise MalformedChat("messages: must be a list of at least one message.")
    if system := [part_of(block) for block in told.objects("system")]:
        turns.insert(0, Turn("system", system))
    request = ChatRequest(NAME, "", turns)
    if (inference := told.object("inferenceConfig")) is not None:
        request.max_tokens = inference.whole("maxTokens")
        request.temperature = inference.number("temperature")
        request.top_p = inference.number("topP")
    if (tools := told.object("toolConfig")) is not None:
        request.tools = [*_tools(tools)] or None
    return request


def _content(message: Members) -> list[Part]:
    return [_part(block) for block in message.objects("content")]


def _part(block: Members) -> Part:
    if (result := block.object("toolResult")) is not None:
        return Result(result.text("toolUseId"), _content(result), failed=result.text("status") == "error")
    for kind in _MEDIA:
        if (media := block.object(kind)) is not None:
            source = media.object("source") or Members({})
            place = source.object("s3Location") or Members({})
            form = media.text("format")
            return Media(
                kind,
                f"{kind}/{form}" if kind != "document" else form,
                source.text("bytes"),
                place.text("uri"),
                text=source.text("text"),
                name=media.text("name"),
            )
    return part_of(block)


def _tools(told: Members) -> list[Tool]:
    found = [tool.object("toolSpec") for tool in told.objects("tools")]
    return [Function(one.text("name"), one.text("description")) for one in found if one is not None]
