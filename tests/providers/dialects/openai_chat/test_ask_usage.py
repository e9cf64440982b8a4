"""Asking a stream of OpenAI chat for its usage."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.providers.dialects.openai_chat.ask_usage import ask
from penstock.providers.dialects.openai_chat.request import asked


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b' {"stream": true}', b' {"stream_options":{"include_usage":true},"stream": true}'),
        (b'{"stream":true,"stream_options":{}}', b'{"stream":true,"stream_options":{"include_usage":true}}'),
        (
            b'{"stream_options" : { "x":1.50 },"stream":true}',
            b'{"stream_options" : {"include_usage":true, "x":1.50 },"stream":true}',
        ),
        (
            b'{"stream":true,"stream_options":{"include_usage": false,"x":1}, "a":1.50}',
            b'{"stream":true,"stream_options":{"include_usage":true,"x":1}, "a":1.50}',
        ),
        (
            b'{"tools":[{"stream_options":{}}],"stream":true,"stream_options":{},"more":{"stream_options":{}}}',
            (
                b'{"tools":[{"stream_options":{}}],"stream":true,"stream_options":{"include_usage":true},'
                b'"more":{"stream_options":{}}}'
            ),
        ),
        (b'{"stream":true,"stream_options":{"include_usage":true}}', None),
        (b'{"stream":true,"stream_options":null}', b'{"stream":true,"stream_options":{"include_usage":true}}'),
        (b'{"stream":true,"stream_options":7}', None),
        (
            b'{"stream":true,"stream_options":{"include_usage":null}}',
            b'{"stream":true,"stream_options":{"include_usage":true}}',
        ),
        (b'{"stream":false}', None),
        (b'{"stream":1}', None),
        (b'{"model":"m"}', None),
        (b'[{"stream":true}]', None),
        (b'{"stream":true', None),
        (b"", None),
    ],
)
def test_asking_for_usage(body: bytes, sent: bytes | None) -> None:
    assert ask(body) == sent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 40), 1 << 40) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9) | st.just("stream_options"), inner, max_size=3)
    ),
    max_leaves=12,
)

OPTIONS = st.dictionaries(st.sampled_from(["a", "include_obfuscation"]), JSON, max_size=2)


@given(st.dictionaries(st.text(max_size=9), JSON, max_size=5), st.none() | OPTIONS, st.sampled_from([None, 0, 2]))
def test_asking_adds_one_member_and_nothing_else(
    members: dict[str, object], options: dict[str, object] | None, indent: int
) -> None:
    members.pop("stream_options", None)
    body = {**members, "stream": True} | ({} if options is None else {"stream_options": options})
    sent = ask(json.dumps(body, indent=indent).encode())
    assert sent is not None
    assert json.loads(sent) == {**body, "stream_options": {**(options or {}), "include_usage": True}}
    assert asked(sent).wants_usage


def test_options_that_also_stand_in_a_text_are_found() -> None:
    sent = ask(b'{"a":["stream_options","{}"],"stream":true,"stream_options":{}}')
    assert sent == b'{"a":["stream_options","{}"],"stream":true,"stream_options":{"include_usage":true}}'


@pytest.mark.parametrize("pad", [b"", b"x" * (2 << 20)])
@pytest.mark.parametrize("options", [b"null", b"{}", b'{"include_usage":false}'])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 0), (0, 3), (3, 3)])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_the_options_that_are_read_are_the_ones_that_are_written(
    pad: bytes, options: bytes, before: int, after: int, at_the_end: bool
) -> None:
    own, other = b'"stream":true,"stream_options":' + options + b',"model":"m"', b'{"stream_options":' + options + b"},"
    text = b'{"x":[' + other * before + b"1]," + (b"%b," % own if not at_the_end else b"") + b'"pad":"' + pad + b'",'
    text += (own + b"," if at_the_end else b"") + b'"y":[' + other * after + b"1]}"
    sent = ask(text)
    assert sent is not None
    wanted = json.loads(text)
    wanted["stream_options"] = {"include_usage": True}
    assert json.loads(sent) == wanted
