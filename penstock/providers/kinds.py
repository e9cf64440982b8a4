"""Kinds of tokens and fees: the words of ``model.usage.Used``, of the catalogue's rows, and of the rates."""

INPUT = "input"  # neither read from nor written to a provider's cache, and text unless a kind below says otherwise
OUTPUT = "output"
CACHE_READ = "cache_read"
CACHE_WRITE = "cache_write"
CACHE_WRITE_1H = "cache_write_1h"  # kept for an hour
REASONING = "output_reasoning"
CITATIONS = "citations"  # of searches, that the model read
WEB_SEARCH = "web_search"
FILE_SEARCH = "file_search"
CALL = "call"  # charged for each call beside its tokens
IMAGE = "image"
SEARCH_UNIT = "search_units"  # a query with as many documents as are ranked at the price of one
CLASSIFICATION = "classifications"
UNREAD = "tokens that could not be read"  # never has a price
UNREAD_FEES = "fees that could not be read"  # nor have these

RUN = "run"  # attribute of what a run of its own of the answer's model used: a tier counts its input alone
TOOL = "tool"  # attribute of a fee whose price depends on the tool, and is not known

AUDIO_SECONDS = "audio_seconds"
CHARACTERS = "characters"  # of a text that is spoken

MEDIA = ("audio", "image", "video")
CACHED = {f"input_{medium}": f"cache_read_{medium}" for medium in MEDIA}  # what came from a cache, by what it is

READ_KINDS = frozenset({CACHE_READ, *CACHED.values()})
WRITE_KINDS = frozenset({CACHE_WRITE, CACHE_WRITE_1H})
FRESH_KINDS = frozenset({INPUT, *CACHED})
INPUT_KINDS = FRESH_KINDS | READ_KINDS | WRITE_KINDS
OUTPUT_KINDS = frozenset({OUTPUT, REASONING, *(f"output_{medium}" for medium in MEDIA)})
TOKENS = INPUT_KINDS | OUTPUT_KINDS | {CITATIONS}
FEES = frozenset(
    {
        *(WEB_SEARCH, FILE_SEARCH, CALL, IMAGE, SEARCH_UNIT, CLASSIFICATION, AUDIO_SECONDS, CHARACTERS),
        *("code_execution", "sources"),
    }
)
KINDS = TOKENS | FEES
