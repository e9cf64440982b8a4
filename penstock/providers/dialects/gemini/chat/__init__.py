"""Chats of Gemini in and out of the neutral form."""

from penstock.providers.dialects._facets import ChatProvider
from penstock.providers.dialects.gemini.chat.failure import read_failure
from penstock.providers.dialects.gemini.chat.read_answer import read_answer
from penstock.providers.dialects.gemini.chat.read_stream import Reader
from penstock.providers.dialects.gemini.chat.write_request import write_request

PROVIDER = ChatProvider(write_request, read_answer, Reader, read_failure)
