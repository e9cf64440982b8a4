"""Wire dialects: what can be learnt from a body in one provider family's format. Pure functions over bytes.

Each dialect is a folder, and each of its facets a module there. What others ask of a dialect, they ask ``DIALECTS``.
"""

from penstock.providers.dialects._facets import (
    ChatStreamReader,
    ChatStreamWriter,
    Dialect,
    Message,
    StreamReader,
    UsageFrame,
)
from penstock.providers.dialects._shapes.bodies import WHOLE
from penstock.providers.dialects.anthropic import ANTHROPIC
from penstock.providers.dialects.bedrock_converse import BEDROCK_CONVERSE
from penstock.providers.dialects.bedrock_invoke import bedrock_invoke
from penstock.providers.dialects.cohere import COHERE
from penstock.providers.dialects.gemini import GEMINI
from penstock.providers.dialects.openai_chat import OPENAI_CHAT
from penstock.providers.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from penstock.providers.dialects.openai_media import OPENAI_MEDIA
from penstock.providers.dialects.openai_responses import OPENAI_RESPONSES
from penstock.providers.dialects.openai_speech import openai_speech
from penstock.providers.dialects.vertex_predict import VERTEX_PREDICT
from penstock.providers.dialects.workers_ai import WORKERS_AI

__all__ = [
    "DIALECTS",
    "DONE",
    "WHOLE",
    "ChatStreamReader",
    "ChatStreamWriter",
    "Dialect",
    "Message",
    "StreamReader",
    "UsageFrame",
    "message_of",
]

_ALL = (
    OPENAI_RESPONSES,
    ANTHROPIC,
    OPENAI_CHAT,
    OPENAI_EMBEDDINGS,
    OPENAI_MEDIA,
    openai_speech(OPENAI_MEDIA),
    GEMINI,
    VERTEX_PREDICT,
    BEDROCK_CONVERSE,
    bedrock_invoke(ANTHROPIC, BEDROCK_CONVERSE, OPENAI_CHAT),
    COHERE,
    WORKERS_AI,
)

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in _ALL}
DONE = frozenset(dialect.done for dialect in _ALL if dialect.done)  # data of events that say nothing else


def message_of(chunks: list[bytes]) -> Message | None:
    """What the data of a stream's events make together in the dialect they are in; None: in none that is known."""
    for dialect in _ALL:
        if (message := dialect.message(chunks)) is not None:
            return message
    return None
