"""Chats of Gemini in and out of the neutral form."""

from penstock.providers.dialects._facets import ChatClient, ChatProvider
from penstock.providers.dialects.gemini.chat import failure
from penstock.providers.dialects.gemini.chat.read_answer import read_answer
from penstock.providers.dialects.gemini.chat.read_request import read_request
from penstock.providers.dialects.gemini.chat.read_stream import Reader
from penstock.providers.dialects.gemini.chat.write_answer import write_answer
from penstock.providers.dialects.gemini.chat.write_request import write_request
from penstock.providers.dialects.gemini.chat.write_stream import Writer

CLIENT = ChatClient(read_request, write_answer, Writer, failure.write_failure)
PROVIDER = ChatProvider(write_request, read_answer, Reader, failure.read_failure)
