"""Chats of OpenAI responses in and out of the neutral form."""

from penstock.providers.dialects._facets import ChatClient
from penstock.providers.dialects._shapes.openai_failure import write_failure
from penstock.providers.dialects.openai_responses.chat.read_request import read_request
from penstock.providers.dialects.openai_responses.chat.write_answer import write_answer
from penstock.providers.dialects.openai_responses.chat.write_stream import Writer

CLIENT = ChatClient(read_request, write_answer, Writer, write_failure)
