"""What travels: prompts and answers of realistic shape and size. Deterministic."""

import random
from collections.abc import Sequence

from penstock.core import codec

MODEL = "gpt-4o-mini"
CLAUDE = "claude-haiku-4-5"
SYSTEM = "You are a careful assistant. Answer briefly."
WORDS = """
    the of and a to in is you that it he was for on are as with his they at be this have from or one had by word
    but not what all were we when your can said there use an each which she do how their if will up other about out
    many then them these so some her would make like him into time has look two more write go see number no way could
    people my than first water been call who oil its now find long down day did get come made may part invoice
    summary quarter customer contract delivery pressure channel gate river account balance report deadline engineer
""".split()  # noqa: SIM905  a text of words reads better than a list of quotes


def _prose(chance: random.Random, size: int) -> str:
    """Words of about ``size`` bytes in all."""
    words: list[str] = []
    length = 0
    while length < size:
        word = chance.choice(WORDS)
        words.append(word)
        length += len(word) + 1
    return " ".join(words)


ANSWER = _prose(random.Random(7), 480)  # noqa: S311  not a secret: the same text each time


def prompt(seed: int, size: int = 1024, *, model: str = MODEL, stream: bool = False) -> bytes:
    """The JSON body of a chat completion call of about ``size`` bytes; another text for each seed."""
    chance = random.Random(seed)  # noqa: S311  as above
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": _prose(chance, size - 180)}],
        "temperature": 0.2,
    }
    if stream:
        body["stream"] = True
    return codec.encode(body)


def prompts(count: int, size: int = 1024, *, model: str = MODEL) -> list[bytes]:
    """Different bodies of one size, so that nothing behind them profits from seeing the same bytes again."""
    return [prompt(seed, size, model=model) for seed in range(count)]


def message_prompt(seed: int, *, stream: bool = False) -> bytes:
    """The same of 1 KB, as Anthropic has it."""
    told: dict[str, object] = codec.decode(prompt(seed, stream=stream))
    _, asked = codec.decode(prompt(seed))["messages"]
    return codec.encode({**told, "model": CLAUDE, "system": SYSTEM, "messages": [asked], "max_tokens": 8192})


def answer(completion_id: str) -> bytes:
    """A chat completion of about 1 KB with its usage."""
    return codec.encode(
        {
            "id": f"chatcmpl-{completion_id}",
            "object": "chat.completion",
            "created": 1735689600,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": ANSWER, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 214,
                "completion_tokens": 112,
                "total_tokens": 326,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "accepted_prediction_tokens": 0},
            },
            "service_tier": "default",
            "system_fingerprint": "fp_0705bf87c0",
        }
    )


def message(message_id: str) -> bytes:
    """The same answer as Anthropic's."""
    return codec.encode(
        {
            "id": f"msg_{message_id}",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5-20251001",
            "content": [{"type": "text", "text": ANSWER}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 214,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 112,
                "service_tier": "standard",
            },
        }
    )


HEADERS = {
    "authorization": "Bearer sk-bench-0123456789abcdef0123456789abcdef",
    "content-type": "application/json",
    "accept": "application/json",
    "user-agent": "bench/1",
}


def request(port: int, path: str, body: bytes, extra: dict[str, str] | None = None) -> bytes:
    """A whole HTTP/1.1 request as bytes."""
    headers = {"host": f"127.0.0.1:{port}", **HEADERS, **(extra or {}), "content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def requests(port: int, path: str, bodies: Sequence[bytes]) -> list[bytes]:
    """One request per body."""
    return [request(port, path, body) for body in bodies]
