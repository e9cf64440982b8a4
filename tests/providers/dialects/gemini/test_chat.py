"""Gemini's chats in and out of the neutral form, and what other dialects' chats become in it."""

import contextlib
import re

import pytest
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.codec import DecodeError, decode, encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    Add,
    Answer,
    Begin,
    Broken,
    Call,
    Candidate,
    ChatRequest,
    Citation,
    Cite,
    Close,
    Effort,
    End,
    Event,
    Failure,
    Function,
    Media,
    Native,
    NativeTool,
    Notes,
    Open,
    Part,
    Reasoning,
    Result,
    Sign,
    Stop,
    StopReason,
    Text,
    ToolChoice,
    Turn,
    Usage,
    Used,
)
from penstock.providers.dialects import DIALECTS

GEMINI, OPENAI = DIALECTS["gemini"], DIALECTS["openai_chat"]
assert GEMINI.client and GEMINI.provider and OPENAI.client and OPENAI.provider
CLIENT, PROVIDER = GEMINI.client, GEMINI.provider
OPENAI_CLIENT, OPENAI_PROVIDER = OPENAI.client, OPENAI.provider


def asked(**members):
    """A request of another dialect."""
    turns = members.pop("turns", [Turn("user", [Text("Hi")])])
    return ChatRequest("openai_chat", members.pop("model", "gemini-3-flash"), turns, **members)


def told(request, lost=()):
    notes = Notes()
    body = decode(PROVIDER.write_request(request, notes))
    assert notes.members == [*lost]
    for content in body["contents"]:  # as Google's own types have it
        types.Content.model_validate(content)
    for tool in body.get("tools", ()):
        types.Tool.model_validate(tool)
    return body


CALLED = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}


def test_a_conversation_of_openai_becomes_one_of_gemini():
    request = OPENAI_CLIENT.read_request(encode({
        "model": "gemini-2.5-flash",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.webp?b=c"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [CALLED, {**CALLED, "id": "call_2"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {"role": "developer", "content": "Be kind."},
            {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
            {"role": "user", "content": "And?"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "tells", "parameters": SCHEMA}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}},
        "reasoning_effort": "low",
        "max_completion_tokens": 100,
        "temperature": 0.5,
        "top_p": 1,
        "stop": ["a"],
        "seed": 7,
        "n": 2,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "logprobs": True,
        "top_logprobs": 3,
        "service_tier": "flex",
        "user": "ada",
        "logit_bias": {"1": 1},
        "parallel_tool_calls": False,
        "stream": True,
    }))  # fmt: skip
    assert told(request, lost=["parallel_tool_calls", "logit_bias", "user"]) == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [
                {"text": "What is this?"},
                {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                {"fileData": {"mimeType": "image/webp", "fileUri": "https://example.com/a.webp?b=c"}},
                {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}},
                {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
            ]},
            {"role": "model", "parts": [
                {"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Oslo"}}},
                {"functionCall": {"id": "call_2", "name": "weather", "args": {"city": "Oslo"}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "call_1", "name": "weather", "response": {"output": "rain"}}},
                {"functionResponse": {"id": "call_2", "name": "weather", "response": {"output": "sun"}}},
                {"text": "And?"},
            ]},
        ],
        "tools": [{"functionDeclarations": [
            {"name": "weather", "description": "tells", "parametersJsonSchema": SCHEMA},
        ]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
        "serviceTier": "flex",
        "generationConfig": {
            "maxOutputTokens": 100,
            "temperature": 0.5,
            "topP": 1,
            "stopSequences": ["a"],
            "seed": 7,
            "candidateCount": 2,
            "presencePenalty": 0.1,
            "frequencyPenalty": 0.2,
            "responseLogprobs": True,
            "logprobs": 3,
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
            "thinkingConfig": {"thinkingBudget": 1024},
        },
    }  # fmt: skip


def test_gemini_3_gets_a_signature_for_the_first_call_of_another_model_and_media_within_results():
    called: list[Part] = [Call("a", "look", "{}"), Call("b", "look", "{}")]
    image = Media("image", "image/png", data="AAAA")
    turns = [Turn("user", [Text("Hi")]), Turn("assistant", called), Turn("tool", [Result("a", [image], failed=True)])]
    parts = [content["parts"] for content in told(asked(turns=turns))["contents"]]
    assert [part.get("thoughtSignature") for part in parts[1]] == ["skip_thought_signature_validator", None]
    assert parts[2] == [
        {
            "functionResponse": {
                "id": "a",
                "name": "look",
                "response": {"error": ""},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
            }
        }
    ]
    older = [content["parts"] for content in told(asked(turns=turns, model="models/gemini-2.5-pro"))["contents"]]
    assert "thoughtSignature" not in older[1][0]
    assert older[2][1] == {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}


def test_signatures_come_back_to_gemini_and_thinking_of_others_does_not():
    said = [
        Reasoning("hm", "theirs", origin="anthropic"),
        Reasoning("so", "ours", origin="gemini"),
        Text("Well", signature="text"),
        Call("call_gemini_1", "f", "", signature="call"),
        Native("anthropic", {"type": "server_tool_use"}),
    ]
    turns = [Turn("user", [Text("Hi")]), Turn("assistant", said), Turn("user", [Result("call_gemini_1", [])])]
    contents = told(asked(turns=turns), lost=["content[type=server_tool_use]"])["contents"]
    assert contents[1]["parts"] == [
        {"text": "so", "thought": True, "thoughtSignature": "ours"},
        {"text": "Well", "thoughtSignature": "text"},
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "call"},
    ]
    assert contents[2]["parts"] == [{"functionResponse": {"name": "f", "response": {"output": ""}}}]


def test_a_conversation_of_system_turns_alone_is_said_by_the_user():
    body = told(asked(turns=[Turn("system", [Text("Say hi")]), Turn("user", [Text("")])]))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Say hi"}]}]}


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-2.5-flash", Effort("none"), {"thinkingBudget": 0}),
        ("gemini-2.5-pro", Effort("none"), {"thinkingBudget": 128}),
        ("google/gemini-2.5-pro", Effort("max"), {"thinkingBudget": 32768}),
        ("gemini-2.5-flash", Effort("max"), {"thinkingBudget": 24576}),
        ("gemini-2.5-flash-lite", Effort(budget=100), {"thinkingBudget": 512, "includeThoughts": True}),
        ("gemini-2.5-pro", Effort(budget=-1, shown=True), {"thinkingBudget": -1, "includeThoughts": True}),
        ("gemini-3-flash", Effort("minimal"), {"thinkingLevel": "MINIMAL"}),
        ("gemini-3-flash", Effort("medium"), {"thinkingLevel": "MEDIUM"}),
        ("gemini-3.1-pro-preview", Effort("none"), {"thinkingLevel": "LOW"}),
        ("gemini-3-pro-preview", Effort("medium"), {"thinkingLevel": "HIGH"}),
        ("gemini-flash-latest", Effort(budget=2000, shown=True), {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-3-flash", Effort(budget=9000), {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        ("gemini-3-flash", Effort(budget=0), {"thinkingLevel": "MINIMAL"}),
        ("gemini-3-flash", Effort(shown=False), {"includeThoughts": False}),
    ],
)
def test_effort_is_told_as_the_model_takes_it(model, effort, thinking):
    assert told(asked(model=model, effort=effort))["generationConfig"] == {"thinkingConfig": thinking}


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("function", "f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice("required", allowed=["f"]), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice("auto", allowed=["f"]), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
    ],
)
def test_which_tools_may_be_called(choice, config):
    request = asked(tools=[Function("f"), Function("g")], tool_choice=choice)
    assert told(request)["toolConfig"] == {"functionCallingConfig": config}
    assert "toolConfig" not in told(asked(tool_choice=choice))


def test_what_gemini_does_not_have_is_left_out_and_named():
    request = asked(
        model="gemini-2.0-flash",
        effort=Effort("high"),
        tools=[Function("f", strict=True), NativeTool("openai_responses", {"type": "web_search"})],
        tool_choice=ToolChoice("allowed_tools"),
        seed=1 << 40,
    )
    lost = ["strict", "tools[type=web_search]", "tool_choice", "seed", "reasoning effort"]
    body = told(request, lost=lost)
    assert body.keys() == {"contents", "tools"}


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"stop": [*"abcdef"]}, "stop: "),
        ({"tools": [Function("f", free=True)]}, "tools: 'f'"),
        ({"turns": [Turn("user", [Media("image", file="file-1")])]}, "file: 'file-1'"),
    ],
)
def test_what_cannot_be_said_is_refused(members, says):
    with pytest.raises(MalformedChat, match=f"^{says}"):
        PROVIDER.write_request(asked(**members), Notes())


# https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
ANSWER = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True},
                    {"text": "Nå! It rains.", "thoughtSignature": "AAAA"},
                    {
                        "functionCall": {"id": "c1", "name": "weather", "args": {"city": "Oslo"}},
                        "thoughtSignature": "BBBB",
                    },
                    {"functionCall": {"name": "weather", "args": {}}},
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                ],
            },
            "finishReason": "STOP",
            "index": 0,
            "groundingMetadata": {
                "webSearchQueries": ["rain"],
                "groundingChunks": [{"web": {"uri": "https://a.example", "title": "a"}}],
                "groundingSupports": [
                    {"segment": {"startIndex": 5, "endIndex": 14, "text": "It rains."}, "groundingChunkIndices": [0]}
                ],
            },
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 2,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 3,
        "cachedContentTokenCount": 4,
        "totalTokenCount": 20,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}, {"modality": "AUDIO", "tokenCount": 2}],
    },
    "modelVersion": "gemini-2.5-flash",
    "responseId": "r1",
    "createTime": "2026-09-21T12:00:00.5Z",
}  # fmt: skip


def test_an_answer_is_read():
    answer = PROVIDER.read_answer(encode(ANSWER))
    thought, text, call, other, image, code = answer.candidates[0].content
    assert thought == Reasoning("hm", origin="gemini")
    cited = Citation("https://a.example", "a", "It rains.", 4, 13)
    assert text == Text("Nå! It rains.", citations=[cited], signature="AAAA")
    assert call == Call("c1", "weather", '{"city":"Oslo"}', signature="BBBB")
    assert isinstance(other, Call)
    assert other == Call(other.id, "weather", "{}")
    assert other.id.startswith("call_gemini_")
    assert image == Media("image", "image/png", data="AAAA")
    assert code == Native("gemini", {"executableCode": {"language": "PYTHON", "code": "1"}})
    assert answer.candidates[0].stop == StopReason.TOOLS
    assert answer.usage
    answer.usage.extra = None
    assert answer.usage == Usage(12, 8, cache_read=4, reasoning=3, input_audio=2)
    assert (answer.id, answer.model, answer.created) == ("r1", "gemini-2.5-flash", 1789992000)


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("STOP", StopReason.END),
        ("MAX_TOKENS", StopReason.LENGTH),
        ("SAFETY", StopReason.FILTER),
        ("RECITATION", StopReason.FILTER),
        ("PROHIBITED_CONTENT", StopReason.FILTER),
        ("BLOCKLIST", StopReason.FILTER),
        ("SPII", StopReason.FILTER),
        ("MALFORMED_FUNCTION_CALL", StopReason.ERROR),
        ("SOMETHING_NEW", StopReason.END),
    ],
)
def test_finish_reasons(word, stop):
    answer = {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": word}]}
    (candidate,) = PROVIDER.read_answer(encode(answer)).candidates
    assert (candidate.content, candidate.stop) == ([Text("a")], stop)


def test_a_prompt_that_was_blocked_is_a_candidate_without_content():
    answer = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}
    read = PROVIDER.read_answer(encode(answer))
    assert read.candidates == [Candidate([], StopReason.FILTER)]
    assert read.usage == Usage(3)


def test_probabilities_are_told_as_openai_does():
    result = {
        "chosenCandidates": [{"token": "å", "tokenId": 1, "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "b", "logProbability": -1}]}],
    }
    answer = {"candidates": [{"content": {"parts": [{"text": "å"}]}, "logprobsResult": result}]}
    assert PROVIDER.read_answer(encode(answer)).candidates[0].logprobs == {
        "content": [
            {
                "token": "å",
                "logprob": -0.5,
                "bytes": [195, 165],
                "top_logprobs": [{"token": "b", "logprob": -1, "bytes": [98]}],
            }
        ],
        "refusal": None,
    }


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"candidates":3}', b'{"error":{"code":500}}', b"no"])
def test_what_is_no_answer_is_refused(body):
    with pytest.raises(MalformedChat):
        PROVIDER.read_answer(body)


def chunk(*parts, usage=5, **candidate):
    return {
        "candidates": [{"content": {"role": "model", "parts": [*parts]}, "index": 0, **candidate}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": usage},
        "modelVersion": "gemini-3-flash",
        "responseId": "r1",
    }


CHUNKS = [
    chunk({"text": "hm", "thought": True}),
    chunk({"text": "It "}),
    chunk({"text": "rains."}, finishReason="STOP"),
    chunk({"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "AAAA"}),
    chunk({"functionCall": {"id": "c2", "name": "g"}}),
    chunk({"text": "", "thoughtSignature": "BBBB"}, usage=9, finishReason="STOP"),
]


def read_all(chunks):
    reader = PROVIDER.reader()
    return [event for one in chunks for event in reader.data(encode(one))], reader


def test_a_stream_is_read():
    events, reader = read_all(CHUNKS)
    assert events[0] == Begin("r1", "gemini-3-flash")
    assert [type(event.part) for event in events if type(event) is Open] == [Reasoning, Text, Call, Call, Text]
    assert Sign("BBBB", "", 4) in events
    assert events[-1] == Used(Usage(3, 9))
    assert [type(event).__name__ for event in reader.end()] == ["Close", "Stop", "End"]


def test_a_stream_becomes_one_of_openai():
    request = OPENAI_CLIENT.read_request(encode({"messages": [{"role": "user", "content": "Hi"}], "stream": True}))
    writer = OPENAI_CLIENT.writer(request)
    events, reader = read_all(CHUNKS)
    sent = b"".join([writer.event(event) for event in [*events, *reader.end()]]).split(b"\n\n")
    assert sent[-2] == b"data: [DONE]"
    choices = [decode(one.removeprefix(b"data: "))["choices"][0] for one in sent[:-2]]
    deltas = [choice["delta"] for choice in choices]
    assert "".join([delta.get("content") or "" for delta in deltas]) == "It rains."
    assert "".join([delta.get("reasoning_content") or "" for delta in deltas]) == "hm"
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert [(call["index"], call.get("id"), call["function"]["arguments"]) for call in calls] == [
        (0, "c1", ""),
        (0, None, '{"a":1}'),
        (1, "c2", ""),
        (1, None, "{}"),
    ]
    assert calls[0]["extra_content"] == {"google": {"thought_signature": "AAAA"}}
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["tool_calls"]


@pytest.mark.parametrize("cut", range(3))
def test_a_stream_that_was_cut_has_no_end(cut):
    _, reader = read_all([*CHUNKS[:2], CHUNKS[5]][:cut])
    assert reader.end() == []


def test_a_stream_is_whole_when_each_candidate_is():
    _, reader = read_all([CHUNKS[2], chunk({"text": "b"}, index=1)])
    assert reader.end() == []
    reader.data(encode(chunk(index=1, finishReason="MAX_TOKENS")))
    assert [event for event in reader.end() if type(event) in (Stop, End)] == [
        Stop(StopReason.END),
        Stop(StopReason.LENGTH, candidate=1),
        End(),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"no",
        b"[]",
        b'{"candidates":[3]}',
        b'{"candidates":[{"content":{"parts":[3]}}]}',
        b'{"candidates":[{"content":{"parts":[{"functionCall":3}]}}]}',
        b'{"candidates":[{"content":{"parts":[{"text":"a","thoughtSignature":"b"}]},"index":[1]}]}',
    ],
)
def test_what_is_no_piece_of_a_stream_is_refused(data):
    with pytest.raises((*DecodeError, LookupError)):
        PROVIDER.reader().data(data)


def test_a_stream_cites_what_it_is_grounded_on():
    grounding = ANSWER["candidates"][0]["groundingMetadata"]
    _, reader = read_all([chunk({"text": "Nå! It rains."}), chunk(finishReason="STOP", groundingMetadata=grounding)])
    (cited,) = [event.citation for event in reader.end() if type(event) is Cite]
    assert "Nå! It rains."[cited.start : cited.end] == "It rains."


def test_a_stream_of_a_prompt_that_was_blocked_and_one_that_broke():
    _, reader = read_all([{"promptFeedback": {"blockReason": "SAFETY"}, "responseId": "r1"}])
    assert reader.end() == [Stop(StopReason.FILTER), End()]
    events, reader = read_all([CHUNKS[1], {"error": {"code": 503, "message": "no", "status": "UNAVAILABLE"}}])
    assert events[-1] == Broken(Failure("no", "UNAVAILABLE"))
    assert reader.end() == []


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b'{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}', Failure("no", "INVALID_ARGUMENT")),
        (b'[{"error":{"code":400,"message":"no","details":[{"reason":"API_KEY_INVALID"}]}}]',
         Failure("no", code="API_KEY_INVALID")),
        (b"upstream connect error", Failure("upstream connect error")),
        (b"[]", Failure("[]")),
        (b'{"error":"no"}', Failure("no")),
    ],
)  # fmt: skip
def test_failures_are_read_however_they_are_told(body, failure):
    assert PROVIDER.read_failure(body) == failure


def test_an_answer_becomes_one_of_openai():
    request = OPENAI_CLIENT.read_request(encode({"messages": [{"role": "user", "content": "Hi"}]}))
    answer: Answer = PROVIDER.read_answer(encode(ANSWER))
    written = decode(OPENAI_CLIENT.write_answer(answer, request))
    message = written["choices"][0]["message"]
    assert message["content"] == "Nå! It rains."
    assert message["reasoning_content"] == "hm"
    assert message["annotations"][0]["url_citation"]["start_index"] == 4
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["weather", "weather"]
    assert written["usage"]["total_tokens"] == 20


AT = {"type": "STRING", "nullable": True}
REQUEST = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [
            {"text": "What is this?"},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA", "displayName": "a.png"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/a"},
             "videoMetadata": {"fps": 2}},
            {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}},
        ]},
        {"role": "model", "parts": [
            {"text": "so", "thought": True, "thoughtSignature": "AAAA"},
            {"text": "Let me see.", "thoughtSignature": "BBBB"},
            {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "CCCC"},
            {"functionCall": {"name": "weather", "args": {"city": "Rome"}}},
            {"functionCall": {"id": "c3", "name": "look", "args": {}}},
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "weather", "response": {"output": "rain"}}},
            {"functionResponse": {"name": "weather", "response": {"degrees": 30}, "scheduling": "SILENT"}},
            {"functionResponse": {"id": "c3", "name": "look", "response": {"error": "dark"},
                                  "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
        ]},
    ],
    "tools": [
        {"functionDeclarations": [
            {"name": "weather", "description": "tells", "parametersJsonSchema": SCHEMA},
            {"name": "look", "parameters": {"type": "OBJECT", "properties": {"at": AT}}},
        ]},
        {"googleSearch": {}},
        {"codeExecution": {}},
    ],
    "toolConfig": {
        "functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["weather", "look"]},
        "retrievalConfig": {"languageCode": "no"},
    },
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "cachedContent": "cachedContents/a",
    "serviceTier": "flex",
    "generationConfig": {
        "stopSequences": ["a"],
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT"},
        "candidateCount": 1,
        "maxOutputTokens": 100,
        "temperature": 0.5,
        "topP": 1,
        "topK": 40,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
        "thinkingConfig": {"thinkingBudget": 128, "includeThoughts": True},
        "responseModalities": ["TEXT"],
    },
}  # fmt: skip


def same(body):
    notes = Notes()
    written = decode(PROVIDER.write_request(CLIENT.read_request(encode(body)), notes))
    assert notes.members == []
    return written


def test_a_request_is_the_same_after_the_neutral_form():
    assert same(REQUEST) == REQUEST


_snake = re.compile("[A-Z]")


def snake(value):
    """The same with the names of Gemini's members in snake_case."""
    if isinstance(value, list):
        return [snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {"args", "response", "parametersJsonSchema", "parameters", "responseSchema", "retrievalConfig"}
    return {
        _snake.sub(lambda found: "_" + found[0].lower(), name): one if name in kept else snake(one)
        for name, one in value.items()
    }


def test_a_request_may_be_spelt_in_snake_case_and_without_brackets_around_one():
    assert "system_instruction" in snake(REQUEST)
    assert same(snake(REQUEST)) == REQUEST
    contents = {"parts": {"text": "Hi"}}
    assert same({"contents": contents, "system_instruction": {"parts": {"text": "a"}}}) == {
        "systemInstruction": {"parts": [{"text": "a"}]},
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
    }


TEXTS = st.text(max_size=5)
SIGNED = st.fixed_dictionaries({}, optional={"thoughtSignature": st.sampled_from(["AAAA", "BBBB"])})
ARGS = st.dictionaries(TEXTS, TEXTS | st.integers(-9, 9), max_size=2)
NAMED = st.sampled_from([{"name": "f"}, {"name": "g", "id": "a"}, {"name": "g", "id": "b"}])
RESPONSES = st.dictionaries(st.sampled_from(["output", "error", "result", "a"]), TEXTS)
PARTS = st.one_of(
    st.builds(lambda text, signed: {"text": text, **signed}, TEXTS, SIGNED),
    st.builds(lambda text, signed: {"text": text, "thought": True, **signed}, TEXTS, SIGNED),
    st.builds(lambda named, args, signed: {"functionCall": {**named, "args": args}, **signed}, NAMED, ARGS, SIGNED),
    st.builds(lambda named, response: {"functionResponse": {**named, "response": response}}, NAMED, RESPONSES),
    st.builds(lambda kind: {"inlineData": {"mimeType": f"image/{kind}", "data": "AAAA"}}, TEXTS),
    st.builds(lambda outcome: {"codeExecutionResult": {"outcome": outcome}}, TEXTS),
)
CONFIGS = st.fixed_dictionaries(
    {"temperature": st.floats(0, 2)},
    optional={
        "topK": st.integers(1, 40),
        "stopSequences": st.lists(TEXTS, max_size=7),
        "responseMimeType": st.sampled_from(["application/json", "text/plain", "text/x.enum"]),
        "thinkingConfig": st.fixed_dictionaries({}, optional={
            "thinkingLevel": st.sampled_from(["LOW", "HIGH"]), "includeThoughts": st.booleans(),
        }),
        "speechConfig": st.dictionaries(TEXTS, TEXTS),
    },
)  # fmt: skip


@given(
    st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "model"]), "parts": st.lists(PARTS, max_size=4)}),
        min_size=1,
        max_size=4,
    ),
    CONFIGS,
)
def test_any_request_is_the_same_after_the_neutral_form(contents, config):
    body = {"contents": contents, "generationConfig": config}
    assert same(body) == body


def test_calls_come_whole_whatever_the_client_asked():
    body = {
        "contents": REQUEST["contents"],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "streamFunctionCallArguments": True}},
    }
    notes = Notes()
    written = decode(PROVIDER.write_request(CLIENT.read_request(encode(body)), notes))
    assert written["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}
    assert notes.members == ["streamFunctionCallArguments"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"contents": []}, "contents: must be a list of at least one content"),
        ({"contents": "hi"}, "contents: must be a list"),
        ({"contents": [{"role": "system", "parts": []}]}, "contents[0].role: must be user or model"),
        ({"contents": [{"parts": [{"text": 3}]}]}, "contents[0].parts[0].text: must be a text"),
        ({"generation_config": {"top_k": "a"}}, "generationConfig.topK: must be a whole number"),
        ({"tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name: is missing"),
        ({"generationConfig": {"stopSequences": [3]}}, "generationConfig.stopSequences: must be a list of texts"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_path(change, says):
    with pytest.raises(MalformedChat, match="^" + re.escape(says)):
        CLIENT.read_request(encode({"contents": REQUEST["contents"]} | change))


def test_a_schema_of_too_many_levels_is_refused():
    for depth in range(900, 1000):  # somewhere between what can be decoded and what can be walked
        schema = b'{"items":' * depth + b"1" + b"}" * depth
        body = b'{"contents":[{}],"tools":{"functionDeclarations":{"name":"f","parameters":%b}}}' % schema
        with contextlib.suppress(MalformedChat):
            CLIENT.read_request(body)


def test_a_conversation_of_gemini_becomes_one_of_openai():
    request = CLIENT.read_request(encode(REQUEST))
    assert (request.model, request.stream) == ("", False)
    assert request.bound.startswith("cachedContent: ")
    parts = REQUEST["contents"][0]["parts"]
    body = {**REQUEST, "contents": [{"role": "user", "parts": [parts[0], parts[3]]}, *REQUEST["contents"][1:]]}
    notes = Notes()
    written = decode(OPENAI_PROVIDER.write_request(CLIENT.read_request(encode(body)), notes))
    assert {"tools[type=googleSearch]", "content[type=executableCode]", "safetySettings"} <= {*notes.members}
    system, user, said, *results = written["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert user["content"][1] == {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert [call["id"] for call in said["tool_calls"]] == [result["tool_call_id"] for result in results]
    assert [result["content"] for result in results] == ["rain", '{"degrees":30}', "dark"]
    assert said["tool_calls"][1]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    at = {"type": "object", "properties": {"at": {"type": ["string", "null"]}}}
    assert [tool["function"].get("parameters") for tool in written["tools"]] == [SCHEMA, at]
    assert written["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert written["tool_choice"]["type"] == "allowed_tools"
    assert written["reasoning_effort"] == "low"


def test_an_answer_is_the_same_after_the_neutral_form():
    asked = CLIENT.read_request(encode(REQUEST))
    again = decode(CLIENT.write_answer(PROVIDER.read_answer(encode(ANSWER)), asked))
    assert again == ANSWER | {"createTime": "2026-09-21T12:00:00Z"}
    types.GenerateContentResponse.model_validate(again)
    filtered = {"candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "SPII", "index": 0}]}
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    for one in (filtered, blocked):
        again = decode(CLIENT.write_answer(PROVIDER.read_answer(encode(one)), asked))
        assert {name: value for name, value in again.items() if name != "responseId"} == one


def written_stream(events, body=None):
    writer = CLIENT.writer(CLIENT.read_request(encode(body or REQUEST)))
    chunks = b"".join([writer.event(event) for event in events]).split(b"\n\n")
    assert chunks.pop() == b""
    made = [decode(one.removeprefix(b"data: ")) for one in chunks]
    for one in made:
        types.GenerateContentResponse.model_validate(one)
    return made


def test_a_stream_is_the_same_after_the_neutral_form():
    grounding = ANSWER["candidates"][0]["groundingMetadata"]
    chunks = [*CHUNKS[:-1], chunk({"text": "Nå! It rains."}, finishReason="SPII", groundingMetadata=grounding)]
    events, reader = read_all(chunks)
    again = written_stream([*events, *reader.end()])
    parts = [part for one in chunks for part in one["candidates"][0]["content"]["parts"]]
    parts[4]["functionCall"]["args"] = {}
    assert [part for one in again for part in one["candidates"][0]["content"]["parts"]] == [*parts, {"text": ""}]
    (last,) = again[-1]["candidates"]
    assert (last["finishReason"], last["groundingMetadata"]) == ("SPII", grounding)
    assert again[-1]["usageMetadata"] == {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}
    assert {one["responseId"] for one in again} == {"r1"}
    assert {one["modelVersion"] for one in again} == {"gemini-3-flash"}


def test_a_stream_of_openai_becomes_one_of_gemini():
    def delta(finish=None, **members):
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000, "model": "gpt-5"}
        return {**head, "choices": [{"index": 0, "delta": members, "finish_reason": finish}]}

    function = {"name": "f", "arguments": ""}
    chunks = [
        delta(role="assistant", content="It "),
        delta(content="rains."),
        delta(tool_calls=[{"index": 0, "id": "c1", "type": "function", "function": function}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": "1}"}}]),
        delta("tool_calls"),
        {**delta(), "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}},
    ]
    reader = OPENAI_PROVIDER.reader()
    events = [event for one in chunks for event in reader.data(encode(one))] + reader.data(b"[DONE]")
    made = written_stream(events)
    assert [one["candidates"][0]["content"]["parts"] for one in made] == [
        [{"text": "It "}],
        [{"text": "rains."}],
        [{"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}}],
        [{"text": ""}],
    ]
    assert made[-1]["candidates"][0]["finishReason"] == "STOP"
    assert made[-1]["usageMetadata"]["totalTokenCount"] == 8


def test_thinking_of_another_provider_comes_back_to_it_through_a_client_of_gemini():
    thoughts: list[Part] = [
        Reasoning("hm", "sig", origin="anthropic"),
        Reasoning("", sealed="secret", origin="anthropic"),
        Text("Well"),
    ]
    answer = Answer("m1", "claude", [Candidate([*thoughts], StopReason.END)])
    asked = CLIENT.read_request(encode(REQUEST))
    told = types.GenerateContentResponse.model_validate_json(CLIENT.write_answer(answer, asked))
    assert told.text == "Well"
    assert told.candidates and told.candidates[0].content
    content = told.candidates[0].content.model_dump(mode="json", exclude_none=True, by_alias=True)
    assert CLIENT.read_request(encode({"contents": [content]})).turns[0].content == thoughts
    events: list[Event] = [
        Begin("m1", "claude"),
        Open(Reasoning("", origin="anthropic"), 0),
        Add("hm", 0),
        Sign("sig", "", 0),
        Close(0),
        Stop(StopReason.END),
        End(),
    ]
    parts = [part for one in written_stream(events) for part in one["candidates"][0]["content"]["parts"]]
    assert parts[0] == {"text": "hm", "thought": True}
    back = CLIENT.read_request(encode({"contents": [{"role": "model", "parts": parts[1:2]}]}))
    assert back.turns[0].content == [Reasoning("", "sig", origin="anthropic")]


@pytest.mark.parametrize(
    ("status", "failure", "word"),
    [
        (429, Failure("no", "rate_limit_error"), "RESOURCE_EXHAUSTED"),
        (400, Failure("no", "FAILED_PRECONDITION"), "FAILED_PRECONDITION"),
        (500, Failure("no"), "INTERNAL"),
        (418, Failure("no"), "FAILED_PRECONDITION"),
    ],
)
def test_a_failure_is_told_as_gemini_does(status, failure, word):
    told = {"error": {"code": status, "message": "no", "status": word}}
    assert decode(CLIENT.write_failure(status, failure)) == told
    assert written_stream([Begin("r1", "m")]) == []
    writer = CLIENT.writer(CLIENT.read_request(encode(REQUEST)))
    assert decode(writer.event(Broken(failure)).removeprefix(b"data: "))["error"]["message"] == "no"
