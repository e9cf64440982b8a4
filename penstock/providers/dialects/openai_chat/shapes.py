"""What is read of an answer of OpenAI chat, and of a chunk of a streamed one."""

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.providers.dialects._shapes import openai
from penstock.providers.dialects._shapes.values import NOTHING, items_of, short


class Answer(openai.Answer):
    """An answer, and a chunk of a streamed one."""

    choices: Raw = NOTHING
    x_groq: Raw = NOTHING


class Error(Struct):
    error: Raw = NOTHING


class Groq(Error):
    """Groq's own member of a chunk. The last one has the usage, also where its client did not ask for it."""

    usage: Raw = NOTHING


class Choice(Error):
    index: Raw = NOTHING
    finish_reason: Raw = NOTHING


decode_answer = decoder(Answer).decode
decode_answers = decoder(list[Answer]).decode
_decode_groq = decoder(Groq).decode
_decode_choices = decoder(list[Choice]).decode


def groq_of(raw: Raw) -> Groq:
    """The members of ``x_groq``; none where it is no short object."""
    try:
        return _decode_groq(short(raw))
    except DecodeError:
        return Groq()


def choices_of(answer: Answer) -> list[Choice]:
    """The choices of an answer, or of a chunk."""
    return (items_of(answer.choices, _decode_choices) or []) if len(answer.choices) else []
