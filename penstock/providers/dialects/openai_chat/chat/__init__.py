"""Chats of OpenAI in and out of the neutral form."""

from penstock.providers.dialects._facets import ChatClient, ChatProvider
from penstock.providers.dialects._shapes import openai_failure
from penstock.providers.dialects.openai_chat.chat.read_answer import read_answer
from penstock.providers.dialects.openai_chat.chat.read_request import read_request
from penstock.providers.dialects.openai_chat.chat.read_stream import Reader
from penstock.providers.dialects.openai_chat.chat.write_answer import write_answer
from penstock.providers.dialects.openai_chat.chat.write_request import write_request
from penstock.providers.dialects.openai_chat.chat.write_stream import Writer

CLIENT = ChatClient(read_request, write_answer, Writer, openai_failure.write_failure)
PROVIDER = ChatProvider(
    write_request, read_answer, Reader, openai_failure.read_failure, only_bytes=frozenset({"audio", "document"})
)
