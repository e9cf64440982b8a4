import asyncio

from penstock.mock.shared import Shared


async def test_what_was_rendered_before_is_kept_within_bounds():
    shared = Shared(asyncio.get_running_loop())
    first = shared.plain("GET", b"/openai/models", b"")
    assert shared.plain("GET", b"/openai/models", b"") is first
    for number in range(shared.MOST_KEPT):
        shared.plain("GET", b"/openai/models?%d" % number, b"")
    assert shared.plain("GET", b"/openai/models", b"") is not first
    assert shared.plain("GET", b"/openai/models", b"") == first


async def test_a_large_answer_is_made_anew_each_time():
    shared = Shared(asyncio.get_running_loop())
    body = b'{"model":"m","messages":[{"role":"user","content":"%b"}]}' % bytes(b"x" * shared.MOST_BYTES)
    once, again = (shared.plain("POST", b"/openai/chat/completions", body) for _ in range(2))
    assert once is not again
    assert once == again
