"""Situations of a chat: one request or one answer each, in plain values (``plain.py``)."""

from tests.kit.pairs.plain import Plain

PNG = ("image", "image/png", "iVBORw0KGgo=")
PDF = ("document", "application/pdf", "JVBERi0xLjc=")
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = ("weather", "Tells the weather.", SCHEMA)
TIME = ("time", "Tells the time.", SCHEMA)
OSLO, ROME = {"city": "Oslo"}, {"city": "Rome"}
CALL, OTHER = ("call", 1, "weather", OSLO), ("call", 2, "weather", ROME)


def _ask(*parts, **more) -> Plain:
    return {"turns": [["user", *(parts or [("text", "Hello")])]], "max_tokens": 500, **more}


def _after(*turns, **more) -> Plain:
    told = [["user", ("text", "How is it in Oslo and Rome?")], *turns]
    return {"turns": told, "max_tokens": 500, "tools": [WEATHER], **more}


# What a client asks for; the second value names it on the page.
ASKED: dict[str, tuple[str, Plain]] = {
    "text": ("text", _ask()),
    "turns": (
        "several turns",
        {
            "turns": [["user", ("text", "Hello")], ["assistant", ("text", "Hi.")], ["user", ("text", "And now?")]],
            "max_tokens": 500,
        },
    ),
    "system": ("system prompt", _ask(system="Be brief.")),
    "image": ("image, by its bytes", _ask(("text", "What is this?"), PNG)),
    "link": ("image, by its address", _ask(("text", "What is this?"), ("link", "https://example.com/a.png"))),
    "document": ("PDF, by its bytes", _ask(("text", "What is this?"), PDF)),
    "tools": ("tools", _ask(tools=[WEATHER, TIME])),
    "auto": ("tool choice: auto", _ask(tools=[WEATHER], choice="auto")),
    "none": ("tool choice: none", _ask(tools=[WEATHER], choice="none")),
    "required": ("tool choice: any tool", _ask(tools=[WEATHER], choice="required")),
    "named": ("tool choice: one tool", _ask(tools=[WEATHER, TIME], choice="named:time")),
    "one_at_a_time": ("no parallel calls", _ask(tools=[WEATHER], choice="auto", parallel=False)),
    "result": (
        "a call and its result",
        _after(["assistant", ("text", "Let me see."), CALL], ["user", ("result", 1, "rain")]),
    ),
    "results": (
        "parallel calls and their results",
        _after(["assistant", CALL, OTHER], ["user", ("result", 1, "rain"), ("result", 2, "sun")]),
    ),
    "schema": ("structured output: JSON schema", _ask(schema=SCHEMA)),
    "thinks": ("reasoning", {**_ask(thinks=True), "max_tokens": 8000}),
    "temperature": ("temperature", _ask(temperature=0.5)),
    "top_p": ("top-p", _ask(top_p=0.9)),
    "top_k": ("top-k", _ask(top_k=40)),
    "stop": ("stop sequences", _ask(stop=["END", "STOP"])),
    "seed": ("seed", _ask(seed=7)),
    "several": ("several answers", _ask(several=2)),
    "presence": ("presence penalty", _ask(presence=0.5)),
    "frequency": ("frequency penalty", _ask(frequency=0.5)),
    "bias": ("logit bias", _ask(bias={"50256": -100})),
    "logprobs": ("log probabilities", _ask(logprobs=2)),
    "user": ("id of the end user", _ask(user="u-1")),
}

USED = {"input": 100, "cached": 40, "output": 30, "reasoning": 10}
_CALLS = [("weather", OSLO)]

# What a provider answers.
TOLD: dict[str, tuple[str, Plain]] = {
    "answer": ("text", {"text": "Hello, Ålesund 🌍", "stop": "end"}),
    "json": ("structured output", {"text": '{"city":"Oslo"}', "stop": "end"}),
    "call": ("a call", {"calls": _CALLS, "stop": "calls"}),
    "calls": ("text, and parallel calls", {"text": "I see.", "calls": [*_CALLS, ("time", ROME)], "stop": "calls"}),
    "thought": ("reasoning", {"thought": "Oslo, so rain.", "text": "Rain.", "stop": "end"}),
    "length": ("stop reason: length", {"text": "Once upon", "stop": "length"}),
    "sequence": ("stop reason: stop sequence", {"text": "Once upon", "stop": "sequence"}),
    "filter": ("stop reason: filtered", {"text": "Once upon", "stop": "filter"}),
    "pause": ("stop reason: pause of a long turn", {"text": "Once upon", "stop": "pause"}),
    "refusal": ("refusal", {"refusal": "I cannot do that.", "stop": "refusal"}),
    "usage": ("usage, with cached and reasoning tokens", {"text": "Hi", "stop": "end"}),
}
for _, _told in TOLD.values():
    _told["usage"] = USED

# An answer whose signed thinking the provider wants back, with the result of its call.
SIGNED: Plain = {
    "thought": "Oslo, so rain.",
    "signature": "c2lnbmVkIGJ5IHRoZSBwcm92aWRlcg==",
    "calls": _CALLS,
    "stop": "calls",
    "usage": USED,
}
