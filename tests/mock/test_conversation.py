import base64

import pytest

from penstock.mock.controls import NONE, Controls
from penstock.mock.conversation import Call, File, Heard, Saying, Tool, inline, say, sign, signed

WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
TOOLS = (Tool("first", WORD), Tool("second", WORD))


@pytest.mark.parametrize(
    ("heard", "saying"),
    [
        (Heard("hello"), Saying("You said: hello")),
        (Heard(""), Saying("You said nothing.")),
        (Heard("hello", TOOLS), Saying(calls=[Call("first", {"word": "hello"})])),
        (
            Heard("call both", TOOLS),
            Saying(calls=[Call("first", {"word": "call"}), Call("second", {"word": "both"})]),
        ),
        (Heard("call both", TOOLS, parallel=False), Saying(calls=[Call("first", {"word": "call"})])),
        (Heard("bothered", TOOLS), Saying(calls=[Call("first", {"word": "bothered"})])),
        (Heard("hello", TOOLS, results=["18", "rain"]), Saying('The tools say: "18", "rain"')),
        (Heard("hello", TOOLS, results=["18"], schema=WORD), Saying('{"word":"hello"}')),
        (Heard("hello", schema=WORD), Saying('{"word":"hello"}')),
        (Heard("look", files=[File("image/png", 3)]), Saying("You said: look You showed: image/png, 3 bytes.")),
        (Heard("hello", thinks=True), Saying("You said: hello", thought="The user says: hello")),
        (Heard("hello", TOOLS, thinks=True), Saying("", [Call("first", {"word": "hello"})], "The user says: hello")),
    ],
)
def test_the_first_rule_that_fits_holds(heard, saying):
    assert say(heard, NONE) == saying


def test_an_answer_of_a_size_is_filler_whatever_was_asked():
    saying = say(Heard("hello", TOOLS), Controls(size=50))
    assert (len(saying.text), saying.calls) == (50, ())


def test_a_text_has_as_many_characters_as_frames():
    assert len(say(Heard("hello", results=["1"]), Controls(frames=100)).text) == 400


def test_arguments_are_cut_into_pieces_none_of_them_empty():
    call = Call("first", {"word": "hello"})
    for frames in (0, 5, 1000):
        assert "".join(call.cut(frames)) == call.text
        assert all(call.cut(frames))
    assert len(call.cut(0)) == 3


@pytest.mark.parametrize("size", range(1, 7))
def test_the_size_of_a_file_is_that_of_its_bytes(size):
    data = base64.b64encode(bytes(size)).decode()
    assert inline(f"data:image/png;base64,{data}") == File("image/png", size)


@pytest.mark.parametrize("url", ["https://example.com/a.png", "data:,hello", "data:image/png,hello", "data:;base64,AA"])
def test_other_addresses_hold_nothing(url):
    assert inline(url) is None


def test_a_signature_is_of_its_dialect_and_of_what_it_is_bound_to():
    made = sign("anthropic", "0123456789abcdef01234567", "thought")
    assert signed("anthropic", made, "thought")
    assert not signed("gemini", made, "thought")
    assert not signed("anthropic", made, "another")
    for wrong in ("", "no base64!", made[:-1], "A" + made[1:], "/w=="):
        assert not signed("anthropic", wrong, "thought")
