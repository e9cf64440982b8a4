"""``penstock logs show``."""

import json

from penstock.core.codec import encode
from penstock.storage.log.table import LogTable
from tests.kit.logsink import a_gateway, a_record


def test_a_call_is_shown_with_its_figures_decisions_and_conversation(world):
    done = world.run("show", world.id(1))
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("200 answered  openai  gpt-4o-mini  ")
    assert lines[0].endswith(world.id(1))
    for line in (
        *("  gateway     default", "  path        POST chat/completions", "  tokens      12 in, 34 out"),
        *("  cost        $ 0.002000 (list)", '  metadata    {"user":"alice"}'),
        "  time        120.0 ms in all, 116.8 ms provider, 3.2 ms Penstock, 80.0 ms to the first byte",
        *("  cache       status MISS, key abc, ttl 60", "  warning     cf-aig-cache-ttl ignored: 'x' is no number"),
        "  attempt     provider openai, host api.openai.com, began 1.0, duration 80.1, status 200",
    ):
        assert line in lines
    assert lines[-5:] == ["user", "Tell me of the sea.", "", "assistant", "It is deep."]


def test_bodies_that_are_not_there_are_told(world):
    said = world.run("show", world.id(2)).out
    assert "The log has no request body." in said
    assert "The log has no response body." in said


def test_a_body_that_is_no_chat_is_shown_as_it_is(world):
    said = world.run("show", world.id(0)).out
    assert '\nrequest (application/json)\n{"model":"gpt4"}\n' in said
    assert '\nresponse (application/json)\n{"choices":[{}]}\n' in said


def test_a_long_turn_is_shown_whole_if_that_is_asked(world):
    text = "sea " * 1000
    record = a_record(request=encode({"model": "m", "messages": [{"role": "user", "content": text}]}), model="\x1b[31m")
    LogTable(world.connection).write([record])
    name = json.loads(world.run("search", "--json", "--limit", "1").out)["id"]
    short = world.run("show", name).out
    assert "… 2000 characters more: --full" in short
    assert "\x1b" not in short
    assert text.rstrip() in world.run("show", name, "--full").out


def test_it_is_found_in_whichever_gateway_it_is(world):
    record = a_record(gateway=a_gateway(world.connection, "beta"))
    LogTable(world.connection).write([record])
    name = json.loads(world.run("search", "--json", "--gateway", "beta").out)["id"]
    assert json.loads(world.run("show", name, "--json").out)["gateway"] == "beta"
    assert world.run("show", name, "--gateway", "beta").status == 0
    done = world.run("show", name, "--gateway", "default")
    assert (done.status, done.err) == (1, f"penstock logs show: the gateway default has no call {name}\n")
    assert world.run("show", "nonsense").err == "penstock logs show: there is no call nonsense\n"
