"""What a call finds, and keeps."""

from typing import Any

import pytest

from penstock.core.errors import UnknownGateway
from penstock.gateway.snapshot import Snapshot, Snapshots
from penstock.testing.exchange import an_exchange
from penstock.testing.house import house, request


def test_a_gateway_is_found_by_account_and_id_alone():
    one, two = object(), object()
    gateways: Any = {("a", "g"): one, ("b", "g"): two}
    snapshot = Snapshot(3, gateways)
    ex = an_exchange(account="a", gateway="g")
    assert snapshot.gateway(ex) is one
    assert (ex.gateway, ex.snapshot) == (one, 3)
    assert snapshot.gateway(an_exchange(account="b", gateway="g")) is two


@pytest.mark.parametrize(("account", "gateway"), [("a", "x"), ("x", "g"), ("", ""), ("a", "G"), ("g", "a")])
def test_what_does_not_exist_is_refused_without_saying_which_part(account, gateway):
    gateways: Any = {("a", "g"): object()}
    ex = an_exchange(account=account, gateway=gateway)
    with pytest.raises(UnknownGateway) as caught:
        Snapshot(1, gateways).gateway(ex)
    assert caught.value.message == UnknownGateway().message
    assert ex.gateway is None


async def test_a_call_ends_on_the_snapshot_it_began_with():
    async with house() as made, made.client() as client, made.client() as later:
        snapshots: Snapshots = made.server.app.plane.snapshots
        stream = b'{"model":"m","stream":true,"messages":[]}'
        await client.send(request(headers={"x-mock-frames": "10", "x-mock-pace": "20"}, body=stream, event="before"))
        await made.mock.until(lambda stats: stats.requests_running == 1)
        snapshots.current = Snapshot(2, {})
        assert (await later.ask(request(event="after"))).status == 400
        assert (await client.answer()).body.endswith(b"data: [DONE]\n\n")
        assert (await made.row("before")).outcome == "answered"
        assert (await made.row("after")).outcome == "refused"
