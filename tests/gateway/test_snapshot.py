"""What a call finds, and keeps."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.gateway.snapshot import Snapshot, Snapshots
from penstock.model.exchange import NO_GATEWAY
from penstock.model.options import UNADDRESSED, CallOptions
from tests.kit.exchange import an_exchange
from tests.kit.house import house, request


class Plain:
    """As much of a gateway as a snapshot looks at."""

    def __init__(self):
        self.options = self
        self.unread = CallOptions(log=False, payloads=False)


def test_a_gateway_is_found_by_account_and_id_alone():
    one, two = Plain(), Plain()
    gateways: Any = {("a", "g"): one, ("b", "g"): two}
    snapshot = Snapshot(3, gateways)
    ex = an_exchange(account="a", gateway="g")
    assert snapshot.gateway(ex) is one
    assert (ex.gateway, ex.snapshot, ex.options) == (one, 3, one.unread)
    assert snapshot.gateway(an_exchange(account="b", gateway="g")) is two


@pytest.mark.parametrize(("account", "gateway"), [("a", "x"), ("x", "g"), ("", ""), ("a", "G"), ("g", "a")])
def test_what_does_not_exist_is_not_found_whichever_part_is_wrong(account, gateway):
    gateways: Any = {("a", "g"): Plain()}
    ex = an_exchange(account=account, gateway=gateway)
    assert Snapshot(1, gateways).gateway(ex) is None
    assert (ex.gateway, ex.snapshot, ex.options) == (NO_GATEWAY, 0, UNADDRESSED)


KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"))


@given(
    st.dictionaries(KEYS, st.builds(Plain)),
    st.lists(st.dictionaries(KEYS, st.none() | st.builds(Plain)), max_size=4),
)
def test_changes_make_another_snapshot_and_leave_the_first(gateways: Any, changes: Any):
    first = snapshot = Snapshot(1, gateways)
    expected = dict(gateways)
    for version, changed in enumerate(changes, 2):
        snapshot = snapshot.with_changes(version, changed)
        expected = {key: value for key, value in (expected | changed).items() if value is not None}
        assert snapshot.version == version
    for account, gateway in ((account, gateway) for account in "ab" for gateway in "xyz"):
        ex = an_exchange(account=account, gateway=gateway)
        assert snapshot.gateway(ex) is expected.get((account, gateway))
        assert first.gateway(ex) is gateways.get((account, gateway))


async def test_a_call_ends_on_the_snapshot_it_began_with():
    async with house() as made, made.client() as client, made.client() as later:
        snapshots: Snapshots = made.server.app.plane.snapshots
        stream = b'{"model":"m","stream":true,"messages":[]}'
        await client.send(request(headers={"x-mock-frames": "10", "x-mock-pace": "20"}, body=stream, event="before"))
        await made.mock.until(lambda stats: stats.requests_running == 1)
        snapshots.current = Snapshot(2, {})
        assert (await later.ask(request(event="after"))).status == 401
        assert (await client.answer()).body.endswith(b"data: [DONE]\n\n")
        assert (await made.row("before")).outcome == "answered"
        assert (await made.row("after")).outcome == "refused"
