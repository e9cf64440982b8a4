"""Cohere's own endpoints of both versions: chat, generate, embed, rerank, classify. Streams always report usage."""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects._shapes.asked import asked_of_reporting
from penstock.providers.dialects.cohere import errors, message, stream, usage
from penstock.providers.dialects.cohere.chat import PROVIDER

COHERE = Dialect(
    "cohere",
    asked=asked_of_reporting,
    figures=usage.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
    reader=stream.Reader,
    error_frame=errors.error_frame,
    message=message.message,
    pieces=message.PIECES,
    provider=PROVIDER,
)
