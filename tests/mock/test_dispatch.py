import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.answer import ERRORS, JSON, Answer, Route
from penstock.mock.controls import NONE, Controls
from penstock.mock.providers import PROVIDERS, WRITTEN
from penstock.providers import catalog

CHAT = b'{"model":"m","messages":[{"role":"user","content":"%b"}]}'


NAMES = ["model", "messages", "input", "role", "content", "max_tokens", "text", "prompt", "parts", "contents", "stream"]


def frames(answer):
    return answer.status, answer.headers, answer.known()


def test_the_same_request_has_the_same_answer_and_another_has_another():
    first, same, other = (
        frames(dispatch.answer("POST", b"/openai/chat/completions", CHAT % said, NONE)) for said in (b"a", b"a", b"b")
    )
    assert first == same
    assert codec.decode(first[2][0])["id"] != codec.decode(other[2][0])["id"]


@pytest.mark.parametrize("slug", PROVIDERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 500, 503, 529])
def test_every_provider_has_an_error_of_its_own_for_every_status(slug, status):
    answer = dispatch.answer("POST", f"/{slug}/any/thing".encode(), b"", Controls(status=status))
    assert (answer.status, answer.kind) == (status, JSON)
    assert isinstance(codec.decode(answer.known()[0]), dict)
    assert answer.status >= ERRORS


def test_every_provider_of_the_catalogue_is_simulated():
    assert PROVIDERS.keys() == {row.id for row in catalog.load().values()}
    assert all(provider.routes for provider in PROVIDERS.values())


def test_stars_stand_for_a_part_of_a_segment_or_for_several_segments():
    asked = []
    route = Route("GET", lambda ask: asked.append(list(ask.named)) or Answer(200, JSON, [b"{}"]))
    provider = PROVIDERS["openai"]._replace(routes={"a/*:x": route, "b/**": route, "b/*/c": route}, prefixes=())
    PROVIDERS["starred"] = provider
    try:
        paths = ("a/one%2Ftwo:x", "a/one/two:x", "a/:x", "b/one/two/c", "b/")
        statuses = [dispatch.answer("GET", f"/starred/{path}".encode(), b"", NONE).status for path in paths]
    finally:
        del PROVIDERS["starred"]
    assert statuses == [200, 404, 404, 200, 404]
    assert asked == [["one/two"], ["one/two/c"]]


@pytest.mark.parametrize("path", [b"chat/completions", b"v1/chat/completions"])
def test_the_version_may_be_left_out(path):
    assert dispatch.answer("POST", b"/openai/" + path, CHAT % b"a", NONE).status == 200


def test_a_path_of_no_provider_tells_what_there_is():
    answer = dispatch.answer("GET", b"/nothing", b"", NONE)
    assert answer.status == 404
    assert "/openai/chat/completions" in codec.decode(answer.known()[0])["error"]["paths"]


@given(
    st.sampled_from([f"/{name}/{path}" for name, provider in PROVIDERS.items() for path in provider.routes]),
    st.sampled_from(["GET", "POST", "HEAD", "DELETE"]),
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    ).map(codec.encode),
)
def test_whatever_is_sent_is_answered_and_refused_in_json(path, method, body):
    answer = dispatch.answer(method, path.encode(), body, NONE)
    assert answer.status in {200, 201, 202, 400, 404, 405, 422}
    if answer.kind == JSON:
        codec.decode(b"".join(answer.known()))
    else:
        assert answer.status == 200


def test_a_status_comes_before_everything_else():
    assert dispatch.answer("GET", b"/openai/nothing", b"", Controls(status=429)).status == 429


def test_a_status_that_is_no_error_keeps_the_answer():
    made, plain = (dispatch.answer("GET", b"/openai/models", b"", c) for c in (Controls(status=203), NONE))
    assert made.status == 203
    assert made.frames == plain.frames


def test_the_page_has_every_path_of_the_formats_that_are_written_here_and_no_other(root):
    page = (root / "docs" / "mock.md").read_text("utf-8")
    routes = {(f"/{name}/{path}", route.method) for name, p in WRITTEN.items() for path, route in p.routes.items()}
    assert set(re.findall(r"^\| `(/[^`]+)` \| (\w+) \|", page, re.MULTILINE)) == routes
