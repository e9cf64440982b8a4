"""OpenAI chat completions, and the many who speak it too. Its streams report usage where they are asked to."""

from penstock.providers.dialects._facets import Dialect, UsageFrame
from penstock.providers.dialects._shapes import openai
from penstock.providers.dialects.openai_chat import ask_usage, errors, hide_usage, message, request, stream, usage
from penstock.providers.dialects.openai_chat.chat import CLIENT, PROVIDER

OPENAI_CHAT = Dialect(
    "openai_chat",
    asked=request.asked,
    figures=openai.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
    reader=stream.Reader,
    done=stream.DONE,
    error_frame=errors.error_frame,
    message=message.message,
    pieces=message.PIECES,
    usage_frame=UsageFrame(ask_usage.ask, hide_usage.HideUsage),
    client=CLIENT,
    provider=PROVIDER,
)
