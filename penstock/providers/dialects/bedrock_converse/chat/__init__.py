"""Bedrock's Converse, as providers are asked for a chat."""

from penstock.providers.dialects._facets import ChatProvider
from penstock.providers.dialects.bedrock_converse.chat.failure import read_failure
from penstock.providers.dialects.bedrock_converse.chat.read_answer import read_answer
from penstock.providers.dialects.bedrock_converse.chat.read_request import read_request
from penstock.providers.dialects.bedrock_converse.chat.read_stream import Reader
from penstock.providers.dialects.bedrock_converse.chat.write_request import write_request

_BYTES = frozenset({"image", "document", "video", "audio"})
PROVIDER = ChatProvider(write_request, read_answer, Reader, read_failure, _BYTES, read_request)
