"""Workers AI's models by their names: answers in an envelope. Streams report usage unasked, where the model has any."""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects._shapes import openai
from penstock.providers.dialects._shapes.asked import asked_of_reporting
from penstock.providers.dialects.workers_ai import errors, message, stream, usage

WORKERS_AI = Dialect(
    "workers_ai",
    asked=asked_of_reporting,
    figures=openai.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
    reader=stream.Reader,
    done=stream.DONE,
    error_frame=errors.error_frame,
    message=message.message,
    pieces=message.PIECES,
)
