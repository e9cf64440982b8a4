"""What chats of other dialects become in Converse, and what its answers say in the neutral form."""

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.codec import decode, encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Cache,
    Call,
    Candidate,
    ChatRequest,
    Citation,
    Cite,
    Close,
    Effort,
    End,
    Failure,
    Format,
    Function,
    Media,
    Native,
    Notes,
    Open,
    Reasoning,
    Refusal,
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

CONVERSE, CHAT, ANTHROPIC = DIALECTS["bedrock_converse"], DIALECTS["openai_chat"], DIALECTS["anthropic"]
assert CONVERSE.provider and CHAT.client and ANTHROPIC.client
PROVIDER, OPENAI, CLAUDE = CONVERSE.provider, CHAT.client, ANTHROPIC.client
INPUT = (
    ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2")).operation_model("Converse").input_shape
)

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}
CALLED = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
WEATHER = Function("weather", "tells", SCHEMA)


def told(request, lost=()):
    """The request's body, which AWS's own model of the service has to accept."""
    notes = Notes()
    body = decode(PROVIDER.write_request(request, notes))
    assert notes.members == [*lost]
    report = ParamValidator().validate({"modelId": "x", **body}, INPUT)
    assert not report.has_errors(), report.generate_report()
    return body


def asked(*turns, model=HAIKU, **members):
    return ChatRequest("openai_chat", model, [*turns] or [Turn("user", [Text("Hi")])], **members)


def test_a_conversation_of_openai_becomes_one_of_converse():
    request = OPENAI.read_request(encode({
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a_b.pdf"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a b?pdf"}},
            ]},
            {"role": "assistant", "content": "", "tool_calls": [CALLED, {**CALLED, "id": "call:2"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {"role": "developer", "content": "Be kind."},
            {"role": "tool", "tool_call_id": "call:2", "content": ""},
            {"role": "user", "content": "And?"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "tells", "parameters": SCHEMA, "strict": True,
        }}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}},
        "max_completion_tokens": 100,
        "temperature": 0.5,
        "stop": ["a"],
        "top_k": 5,
        "service_tier": "flex",
        "seed": 7,
        "user": "ada",
        "logit_bias": {"1": 1},
        "stream": True,
        "stream_options": {"include_usage": True},
    }))  # fmt: skip
    request.model = HAIKU
    lost = ["messages[].content[].image_url.detail", "seed", "user", "logit_bias"]
    assert told(request, lost) == {
        "system": [{"text": "Be brief."}, {"text": "Be kind."}],
        "messages": [
            {"role": "user", "content": [
                {"text": "What is this?"},
                {"cachePoint": {"type": "default", "ttl": "1h"}},
                {"image": {"format": "png", "source": {"bytes": "AAAA"}}},
                {"document": {"format": "pdf", "name": "a b pdf", "source": {"bytes": "AAAA"}}},
                {"document": {"format": "pdf", "name": "a b pdf 2", "source": {"bytes": "AAAA"}}},
            ]},
            {"role": "assistant", "content": [
                {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Oslo"}}},
                {"toolUse": {"toolUseId": "call_2", "name": "weather", "input": {"city": "Oslo"}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "call_1", "content": [{"text": "rain"}]}},
                {"toolResult": {"toolUseId": "call_2", "content": [{"json": {}}]}},
                {"text": "And?"},
            ]},
        ],
        "inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "stopSequences": ["a"]},
        "toolConfig": {
            "tools": [{"toolSpec": {
                "name": "weather", "description": "tells", "inputSchema": {"json": SCHEMA}, "strict": True,
            }}],
            "toolChoice": {"tool": {"name": "weather"}},
        },
        "additionalModelRequestFields": {"top_k": 5},
        "outputConfig": {"textFormat": {"type": "json_schema", "structure": {
            "jsonSchema": {"name": "x", "schema": encode(SCHEMA).decode()},
        }}},
        "serviceTier": {"type": "flex"},
    }  # fmt: skip


def test_claudes_thinking_goes_back_from_whichever_way_it_came_and_no_other_model_s():
    request = CLAUDE.read_request(encode({
        "model": "m",
        "max_tokens": 8000,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "so", "signature": "sig"},
                {"type": "redacted_thinking", "data": "bedrock_converse:sealed::AAAA"},
                {"type": "thinking", "thinking": "hm", "signature": "gemini:::x"},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": "no"},
            ]},
        ],
        "tools": [{"name": "weather", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    }))  # fmt: skip
    request.model = HAIKU
    body = told(request, ["messages[].reasoning"])
    assert body["system"] == [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "so", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"toolUse": {"toolUseId": "toolu_1", "name": "weather", "input": {}}},
    ]
    assert body["messages"][2]["content"][0]["toolResult"]["status"] == "error"
    assert body["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2000}}
    assert body["inferenceConfig"] == {"maxTokens": 8000}


@pytest.mark.parametrize(
    ("model", "members", "lost", "config", "fields"),
    [
        (HAIKU, {"effort": Effort("none")}, [], {}, {}),
        (HAIKU, {"temperature": 1.5}, ["temperature"], {"temperature": 1}, {}),
        ("anthropic.claude-opus-4-7", {"effort": Effort("none")}, [], {}, {"thinking": {"type": "disabled"}}),
        ("amazon.nova-pro-v1:0", {"top_k": 5, "top_p": 0.9}, [], {"topP": 0.9}, {"inferenceConfig": {"topK": 5}}),
        ("amazon.nova-pro-v1:0", {"effort": Effort("low")}, ["reasoning_effort"], {}, {}),
        ("us.amazon.nova-2-lite-v1:0", {"effort": Effort(budget=4000), "max_tokens": 9}, [], {"maxTokens": 9}, {
            "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"},
        }),
        ("us.amazon.nova-2-lite-v1:0", {"effort": Effort("high"), "temperature": 0.5}, ["temperature"], {}, {
            "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"},
        }),
        ("us.amazon.nova-2-lite-v1:0", {"effort": Effort("high"), "max_tokens": 9}, ["reasoning_effort"],
         {"maxTokens": 9}, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}),
        ("openai.gpt-oss-120b-1:0", {"effort": Effort("minimal")}, [], {}, {"reasoning_effort": "low"}),
        ("meta.llama3-8b-v1:0", {"top_k": 5, "effort": Effort("low")}, ["top_k", "reasoning_effort"], {}, {}),
    ],
)  # fmt: skip
def test_each_family_is_asked_as_it_takes_it(model, members, lost, config, fields):
    body = told(asked(model=model, **members), lost)
    assert body.get("inferenceConfig", {}) == config
    assert body.get("additionalModelRequestFields", {}) == fields


def test_a_model_that_chooses_its_effort_is_told_the_level():
    body = told(asked(model="global.anthropic.claude-opus-4-6-v1", effort=Effort("xhigh")))
    assert body["outputConfig"] == {"effort": "high"}
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}


@pytest.mark.parametrize(
    ("model", "form", "lost", "says"),
    [
        ("amazon.nova-pro-v1:0", Format("schema", schema=SCHEMA), ["response_format"], '{"city":'),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", Format("schema", schema=SCHEMA), ["response_format"], '{"city":'),
        (
            "us.anthropic.claude-opus-4-1-20250805-v1:0",
            Format("schema", schema=SCHEMA),
            ["response_format"],
            '{"city":',
        ),
        (HAIKU, Format("json"), [], "one JSON object"),
    ],
)
def test_where_a_form_has_no_member_words_ask_for_it(model, form, lost, says):
    body = told(asked(model=model, format=form), lost)
    assert "outputConfig" not in body
    assert says in body["system"][0]["text"]


@pytest.mark.parametrize(
    ("model", "choice", "lost", "made"),
    [
        (HAIKU, ToolChoice("required"), [], {"any": {}}),
        (HAIKU, ToolChoice("auto"), [], None),
        ("amazon.nova-pro-v1:0", ToolChoice("function", "weather"), [], {"tool": {"name": "weather"}}),
        ("mistral.mistral-large-2407-v1:0", ToolChoice("required"), [], {"any": {}}),
        ("mistral.mistral-large-2407-v1:0", ToolChoice("function", "weather"), ["tool_choice"], None),
        ("anthropic.claude-opus-5-1", ToolChoice("required"), ["tool_choice"], None),
    ],
)
def test_a_tool_is_chosen_as_far_as_the_model_can_be_told(model, choice, lost, made):
    body = told(asked(model=model, tools=[WEATHER], tool_choice=choice), lost)
    assert body["toolConfig"].get("toolChoice") == made
    assert ("system" in body) is bool(lost)


def test_tools_are_told_where_the_conversation_called_some_and_left_out_where_none_may_be_called():
    called = [Turn("assistant", [Call("c", "weather", "{}")]), Turn("tool", [Result("c", [Text("rain")])])]
    bare = told(asked(*called))
    assert [tool["toolSpec"]["name"] for tool in bare["toolConfig"]["tools"]] == ["weather"]
    none = told(asked(*called, tools=[WEATHER], tool_choice=ToolChoice("none")), ["tool_choice"])
    assert none["toolConfig"]["tools"][0]["toolSpec"]["description"] == "tells"
    assert "Do not call a tool" in none["system"][0]["text"]
    assert "toolConfig" not in told(asked(tools=[WEATHER], tool_choice=ToolChoice("none")))
    some = told(asked(tools=[WEATHER, Function("free", free=True)], tool_choice=ToolChoice("auto", allowed=["free"])))
    assert [tool["toolSpec"]["name"] for tool in some["toolConfig"]["tools"]] == ["free"]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (Media("image", url="https://example.com/a.png"), r"^messages\[\]\.content\[\]\.image_url: .* by URL"),
        (Media("document", file="file_1"), r"^messages\[\]\.content\[\]: .* another provider keeps"),
        (Media("image", "image/heic", "AAAA"), r"^messages\[\]\.content\[\]: image of image/heic .* png, jpeg"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_named(part, says):
    with pytest.raises(MalformedChat, match=says):
        PROVIDER.write_request(asked(Turn("user", [part])), Notes())
    with pytest.raises(MalformedChat, match=r"^n: "):
        PROVIDER.write_request(asked(candidates=2), Notes())


def test_media_travel_as_bytes_or_from_s3_and_a_document_is_never_alone():
    body = told(asked(Turn("user", [
        Media("document", "text/plain", text="words", name="notes.txt"),
        Media("video", url="s3://bucket/a.mkv"),
    ])))  # fmt: skip
    assert body["messages"][0]["content"] == [
        {"document": {"format": "txt", "name": "notes txt", "source": {"bytes": "d29yZHM="}}},
        {"video": {"format": "mkv", "source": {"s3Location": {"uri": "s3://bucket/a.mkv"}}}},
        {"text": "notes txt"},
    ]


def test_what_is_left_out_leaves_no_mark_for_the_cache():
    body = told(asked(Turn("system", [Text(" ", cache=Cache())]), Turn("user", [Text("Hi")])))
    assert "system" not in body


def test_marks_for_the_cache_are_lost_where_the_model_has_none():
    turn = Turn("user", [Text("Hi", cache=Cache("1h"))])
    assert told(asked(turn, model="meta.llama3-3-70b-instruct-v1:0"), ["cache_control"])["messages"] == [
        {"role": "user", "content": [{"text": "Hi"}]}
    ]
    nova = told(asked(turn, model="amazon.nova-pro-v1:0"))
    assert nova["messages"][0]["content"][1] == {"cachePoint": {"type": "default"}}


WORDS = st.text("ab \n{", max_size=6)
IDS = st.text("ab:/_", max_size=80)
USERS = st.lists(
    st.one_of(
        st.builds(Text, WORDS),
        st.builds(Media, st.just("document"), st.just("application/pdf"), st.just("AAAA"), name=WORDS),
        st.builds(Result, IDS, st.lists(st.builds(Text, WORDS), max_size=2), failed=st.booleans()),
    ),
    max_size=3,
)
SAID = st.lists(
    st.one_of(
        st.builds(Text, WORDS),
        st.builds(Refusal, WORDS),
        st.builds(Call, IDS, st.just("f"), WORDS, st.booleans()),
        st.builds(Reasoning, WORDS, WORDS, origin=st.sampled_from(["anthropic", "bedrock_converse", "gemini"])),
    ),
    max_size=3,
)
TURNS = st.one_of(
    st.builds(Turn, st.sampled_from(["user", "tool"]), USERS),
    st.builds(Turn, st.just("assistant"), SAID),
    st.builds(Turn, st.just("system"), st.lists(st.builds(Text, WORDS), max_size=2)),
)


@given(st.lists(TURNS, max_size=5), st.sampled_from([HAIKU, "amazon.nova-pro-v1:0", "meta.llama3-3-70b-instruct-v1:0"]))
def test_whatever_was_said_becomes_what_aws_accepts(turns, model):
    body = decode(PROVIDER.write_request(asked(Turn("user", [Text("Hi")]), *turns, model=model), Notes()))
    report = ParamValidator().validate({"modelId": "x", **body}, INPUT)
    assert not report.has_errors(), report.generate_report()
    messages = body["messages"]
    roles = [message["role"] for message in messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
    blocks = [block for message in messages for block in message["content"]]
    assert all(block["text"].strip() for block in blocks if "text" in block)
    names = [block["document"]["name"] for block in blocks if "document" in block]
    assert len({*names}) == len(names)
    assert ("toolConfig" in body) is any("toolUse" in block or "toolResult" in block for block in blocks)


# https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "so", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"text": "Let me see."},
        {"citationsContent": {"content": [{"text": "It rains."}], "citations": [{
            "title": "W", "sourceContent": [{"text": "rain"}], "location": {"web": {"url": "https://w.example"}},
        }]}},
        {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Oslo"}}},
        {"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}},
    ]}},
    "stopReason": "tool_use",
    "usage": {"inputTokens": 30, "outputTokens": 628, "totalTokens": 665,
              "cacheReadInputTokens": 4, "cacheWriteInputTokens": 3},
    "metrics": {"latencyMs": 1275},
    "serviceTier": {"type": "flex"},
}  # fmt: skip
USAGE = Usage(37, 628, cache_read=4, cache_write=3)


def test_an_answer_is_read():
    answer = PROVIDER.read_answer(encode(ANSWER))
    content = [
        Reasoning("so", "sig", origin="bedrock_converse"),
        Reasoning("", sealed="AAAA", origin="bedrock_converse"),
        Text("Let me see."),
        Text("It rains.", [Citation("https://w.example", "W", "rain")]),
        Call("tooluse_1", "weather", '{"city":"Oslo"}'),
        Native("bedrock_converse", {"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}}),
    ]
    assert answer.candidates == [Candidate(content, StopReason.TOOLS)]
    assert answer.usage == USAGE
    assert answer.service_tier == "flex"
    chat = OPENAI.write_answer(answer, asked())
    assert decode(chat)["choices"][0]["message"]["tool_calls"][0]["id"] == "tooluse_1"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", StopReason.END),
        ("tool_use", StopReason.TOOLS),
        ("max_tokens", StopReason.LENGTH),
        ("model_context_window_exceeded", StopReason.LENGTH),
        ("stop_sequence", StopReason.SEQUENCE),
        ("guardrail_intervened", StopReason.FILTER),
        ("content_filtered", StopReason.FILTER),
        ("malformed_model_output", StopReason.ERROR),
        ("malformed_tool_use", StopReason.ERROR),
        ("what_comes_next", StopReason.END),
    ],
)
def test_why_a_model_stopped(word, reason):
    assert PROVIDER.read_answer(encode(ANSWER | {"stopReason": word})).candidates[0].stop == reason
    assert PROVIDER.reader().data(encode({"messageStop": {"stopReason": word}})) == [Stop(reason)]


@pytest.mark.parametrize("body", [b'{"message":"no"}', b'{"output":{}}', b"[]", b"no"])
def test_what_is_no_answer_is_none(body):
    with pytest.raises(MalformedChat):
        PROVIDER.read_answer(body)


def delta(number, **members):
    return {"contentBlockDelta": {"contentBlockIndex": number, "delta": members}}


def stop(number):
    return {"contentBlockStop": {"contentBlockIndex": number}}


def start(number, name):
    return {"contentBlockStart": {"contentBlockIndex": number, "start": {"toolUse": {"toolUseId": name, "name": "f"}}}}


# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
STREAM = [
    {"messageStart": {"role": "assistant"}},
    delta(0, reasoningContent={"text": "so"}),
    delta(0, reasoningContent={"signature": "sig"}),
    stop(0),
    delta(1, reasoningContent={"redactedContent": "AAAA"}),
    stop(1),
    delta(2, text="Hel"),
    delta(2, text="lo"),
    delta(2, citation={"title": "W", "source": "https://w.example"}),
    stop(2),
    start(3, "t1"),
    delta(3, toolUse={"input": '{"a"'}),
    delta(3, toolUse={"input": ":1}"}),
    stop(3),
    start(4, "t2"),
    delta(4, toolUse={"input": ""}),
    stop(4),
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": ANSWER["usage"], "metrics": {"latencyMs": 7}}},
]


def test_a_stream_is_read():
    reader = PROVIDER.reader()
    thought = Reasoning("", origin="bedrock_converse")
    assert [event for one in STREAM for event in reader.data(encode(one))] == [
        Begin("", ""),
        *[Open(thought, 0), Add("so", 0), Sign("sig", "", 0), Close(0)],
        *[Open(thought, 1), Sign("", "AAAA", 1), Close(1)],
        *[Open(Text(""), 2), Add("Hel", 2), Add("lo", 2), Cite(Citation("https://w.example", "W"), 2), Close(2)],
        *[Open(Call("t1", "f", ""), 3), Add('{"a"', 3), Add(":1}", 3), Close(3)],
        *[Open(Call("t2", "f", ""), 4), Add("{}", 4), Close(4)],
        *[Stop(StopReason.TOOLS), Used(USAGE), End()],
    ]


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_a_stream_that_is_cut_is_not_whole(cut):
    reader = PROVIDER.reader()
    events = [event for one in STREAM[:cut] for event in reader.data(encode(one))] + reader.end()
    assert not any(isinstance(event, End) for event in events)


@pytest.mark.parametrize(
    ("event", "failure"),
    [
        ({"throttlingException": {"message": "slow"}}, Failure("slow", "throttlingException")),
        ({"modelStreamErrorException": {"originalMessage": "bad"}}, Failure("bad", "modelStreamErrorException")),
        ({"InternalFailure": None}, Failure("InternalFailure", "InternalFailure")),
    ],
)
def test_an_exception_breaks_a_stream(event, failure):
    assert PROVIDER.reader().data(encode(event)) == [Broken(failure)]


def test_events_that_will_be_added_say_nothing():
    assert PROVIDER.reader().data(b'{"somethingNew":{"a":1}}') == []
    assert PROVIDER.reader().data(encode(delta(0, image={"source": {}}))) == []


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b'{"message":"Too many requests"}', Failure("Too many requests")),
        (b'{"Message":"no"}', Failure("no")),
        (b'{"__type":"com.amazon#ValidationException","message":"no"}', Failure("no", "ValidationException")),
        (b"<html>", Failure("<html>")),
        (b"", Failure("The provider gave no reason.")),
    ],
)
def test_failures_are_read(body, failure):
    assert PROVIDER.read_failure(body) == failure
