"""Cohere's chat of the second version, as providers are asked for it."""

from penstock.providers.dialects._facets import ChatProvider
from penstock.providers.dialects.cohere.chat.failure import read_failure
from penstock.providers.dialects.cohere.chat.read_answer import read_answer
from penstock.providers.dialects.cohere.chat.read_stream import Reader
from penstock.providers.dialects.cohere.chat.write_request import write_request

PROVIDER = ChatProvider(write_request, read_answer, Reader, read_failure, only_bytes=frozenset({"document"}))
