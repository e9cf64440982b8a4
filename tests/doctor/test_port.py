"""The port that the server is to listen on."""

import asyncio
import socket

import pytest

from penstock.doctor import port
from tests.kit.certificates import self_signed
from tests.kit.process import serving


def test_a_free_port_is_good(subject, closed_port, levels):
    assert levels(port.check(subject(port=closed_port))) == [("ok", f"127.0.0.1 port {closed_port} is free.")]
    assert levels(port.check(subject(port=0))) == [("ok", "Any free port of 127.0.0.1 will do.")]


def test_a_port_that_somebody_else_has_is_a_problem(subject, levels):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        (finding,) = port.check(subject(port=number))
    assert (finding.level, finding.check) == ("problem", "port")
    assert finding.text == f"127.0.0.1 port {number} is taken by a process that does not answer as Penstock does."
    assert "choose another port" in finding.remedy


@pytest.mark.parametrize("tls", [False, True])
async def test_a_port_that_a_penstock_has_is_good(subject, levels, tmp_path, tls):
    environ = {}
    if tls:
        certificate, key = self_signed(tmp_path, "127.0.0.1")
        environ = {"PENSTOCK_TLS_CERTIFICATE": str(certificate), "PENSTOCK_TLS_KEY": str(key)}
    async with serving(tmp_path / "server", environ=environ, gateways=()) as server:
        found = await asyncio.to_thread(lambda: levels(port.check(subject(port=server.port))))
    assert found == [("ok", f"127.0.0.1 port {server.port} is held by a Penstock that answers /healthz.")]


def test_an_address_of_another_machine_is_a_problem(subject):
    (finding, *_) = port.check(subject(host="192.0.2.1", port=8787))
    assert finding.level == "problem"
    assert "Cannot assign requested address" in finding.text
    assert "address of this machine" in finding.remedy


def test_a_host_that_does_not_exist_is_a_problem(subject):
    (finding, *_) = port.check(subject(host="no such host", port=8787))
    assert finding.level == "problem"
    assert "host" in finding.remedy


def test_listening_for_others_without_tls_is_a_warning(subject, closed_port, levels):
    def found(**settings):
        return [level for level, _ in levels(port.check(subject(host="0.0.0.0", port=closed_port, **settings)))]

    assert found() == ["ok", "warning"]
    assert found(public_url="https://gateway.example.com") == ["ok"]
    assert found(tls_certificate="a.pem", tls_key="b.pem") == ["ok"]
