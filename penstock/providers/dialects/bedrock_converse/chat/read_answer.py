"""An answer of Converse, which has no id and names no model.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from penstock.core.errors import MalformedChat
from penstock.model.chat import Answer, Candidate
from penstock.providers.dialects._shapes.members import members_of, object_or_none
from penstock.providers.dialects.bedrock_converse.chat.read_blocks import part_of
from penstock.providers.dialects.bedrock_converse.chat.words import stop_of, usage_of


def read_answer(body: bytes) -> Answer:
    """Raises MalformedChat where it is none."""
    told = members_of(body)
    output = told.object("output")
    message = output.object("message") if output is not None else None
    if message is None:
        raise MalformedChat("output.message: is missing.")
    usage, tier = object_or_none(told.any("usage")), told.object("serviceTier")
    candidate = Candidate([part_of(block) for block in message.objects("content")], stop_of(told.text("stopReason")))
    return Answer(
        "",
        "",
        [candidate],
        None if usage is None else usage_of(usage),
        service_tier="" if tier is None else tier.text("type"),
    )
