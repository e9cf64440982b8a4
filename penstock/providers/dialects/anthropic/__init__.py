"""Anthropic messages. Its streams always report usage: the input at the start, the output at the end."""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects.anthropic import errors, message, request, stream, usage
from penstock.providers.dialects.anthropic.chat import CLIENT, PROVIDER

ANTHROPIC = Dialect(
    "anthropic",
    asked=request.asked,
    figures=usage.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
    reader=stream.Reader,
    token_size=24,  # its events have several each
    error_frame=errors.error_frame,
    message=message.message,
    pieces=message.PIECES,
    client=CLIENT,
    provider=PROVIDER,
)
