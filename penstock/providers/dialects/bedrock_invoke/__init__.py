"""Bedrock's models in formats of their own: Claude's, Nova's, Llama's, Titan's, and those shaped as OpenAI's chat.

What these have in common with dialects of other providers is taken from those. What Bedrock adds is the same for all:
the last event of a stream has the counts, and so have the headers of a whole answer.
"""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects._shapes.asked import asked_of_reporting
from penstock.providers.dialects.bedrock_invoke import headers, message, stream, usage


def bedrock_invoke(claude: Dialect, nova: Dialect, chat: Dialect) -> Dialect:
    """The dialect, made of those of the families."""
    return Dialect(
        "bedrock_invoke",
        asked=asked_of_reporting,
        figures=usage.figures(claude.figures, nova.figures, chat.figures),
        reported=usage.reported,
        reported_edges=usage.reported_edges,
        reader=lambda: stream.Reader(claude.reader()),
        token_size=claude.token_size * 4 // 3,  # base64
        completed=headers.completed,
        message=message.message,
    )
