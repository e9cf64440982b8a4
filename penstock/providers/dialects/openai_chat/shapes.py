"""What is read of an answer of OpenAI chat, and of a chunk of a streamed one."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes import openai
from penstock.providers.dialects._shapes.values import NOTHING, items_of


class Answer(openai.Answer):
    """An answer, and a chunk of a streamed one."""

    choices: Raw = NOTHING
    x_groq: Raw = NOTHING


class Error(Struct):
    error: Raw = NOTHING


class Choice(Error):
    index: Raw = NOTHING
    finish_reason: Raw = NOTHING


decode_answer = decoder(Answer).decode
decode_answers = decoder(list[Answer]).decode
_decode_choices = decoder(list[Choice]).decode


def choices_of(answer: Answer) -> list[Choice]:
    """The choices of an answer, or of a chunk."""
    return (items_of(answer.choices, _decode_choices) or []) if len(answer.choices) else []
