"""What is read of an answer with images or a transcription, and of an event of a streamed one."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING


class Answer(Struct):
    type: Raw = NOTHING  # of an event
    model: Raw = NOTHING
    usage: Raw = NOTHING
    error: Raw = NOTHING
    duration: Raw = NOTHING  # of the audio, in seconds


decode_answer = decoder(Answer).decode

MEMBERS = (b"usage", b"model", b"error", b"type", b"duration")
