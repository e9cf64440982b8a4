"""Chats of OpenAI responses in and out of the neutral form."""

from penstock.providers.dialects._facets import ChatClient, ChatProvider
from penstock.providers.dialects._shapes.openai_failure import read_failure, write_failure
from penstock.providers.dialects.openai_responses.chat.read_answer import read_answer
from penstock.providers.dialects.openai_responses.chat.read_request import read_request
from penstock.providers.dialects.openai_responses.chat.read_stream import Reader
from penstock.providers.dialects.openai_responses.chat.write_answer import write_answer
from penstock.providers.dialects.openai_responses.chat.write_request import write_request
from penstock.providers.dialects.openai_responses.chat.write_stream import Writer

CLIENT = ChatClient(read_request, write_answer, Writer, write_failure)
PROVIDER = ChatProvider(write_request, read_answer, Reader, read_failure)
