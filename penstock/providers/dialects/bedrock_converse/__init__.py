"""Bedrock's Converse. Its streams, AWS event streams, always report usage: in their last event."""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects._shapes.asked import asked_of_reporting
from penstock.providers.dialects.bedrock_converse import message, stream, usage
from penstock.providers.dialects.bedrock_converse.chat import PROVIDER

BEDROCK_CONVERSE = Dialect(
    "bedrock_converse",
    asked=asked_of_reporting,
    figures=usage.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
    reader=stream.Reader,
    message=message.message,
    pieces=message.PIECES,
    provider=PROVIDER,
)
