"""A closed loop at concurrency 1: one connection, one call after another, each timed to the nanosecond."""

import gc
import socket
import time
from collections.abc import Sequence

from bench.procs import BenchFault

OK = 200
CUT = "the connection was closed before the answer was whole"


class Probe:
    """A kept connection. Blocking calls, because nothing else is as near to the wire."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Closes the connection."""
        self.socket.close()

    def call(self, request: bytes) -> tuple[int, bytes]:
        """Sends one request; status and whole answer, head included. Raises BenchFault when the answer is cut."""
        self.socket.sendall(request)
        data = self.socket.recv(262144)
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            size = end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])
            while len(data) < size:
                data += self._more()
        else:
            while not data.endswith(b"\r\n0\r\n\r\n"):
                data += self._more()
        return int(data[9:12]), data

    def _more(self) -> bytes:
        data = self.socket.recv(262144)
        if not data:
            raise BenchFault(CUT)
        return data


def once(port: int, request: bytes) -> tuple[int, bytes]:
    """One call on a connection of its own."""
    probe = Probe(port)
    try:
        return probe.call(request)
    finally:
        probe.close()


def expect(port: int, request: bytes, status: int, what: str) -> None:
    """Before anything is measured: the target answers this call as it should. Raises BenchFault."""
    found, data = once(port, request)
    if found != status:
        raise BenchFault(f"{what} answered {found}, not {status}: {data[-300:].decode(errors='replace')}")


def closed_loop(port: int, requests: Sequence[bytes], count: int) -> list[float]:
    """Milliseconds of each of ``count`` calls. Raises BenchFault on any answer but 200."""
    return closed_loops([(port, requests)], count, block=count)[0]


def closed_loops(targets: Sequence[tuple[int, Sequence[bytes]]], count: int, block: int) -> list[list[float]]:
    """The same for several targets (port and requests), in turn, ``block`` calls each.

    Short blocks, because the time of a single call depends on which core the scheduler puts whom on, and that
    changes from one moment to the next: each target gets its share of every moment.
    """
    probes = [Probe(port) for port, _ in targets]
    times: list[list[float]] = [[] for _ in targets]
    gc.collect()
    gc.disable()
    try:
        for begin in range(0, count, block):
            for at, (_, requests) in enumerate(targets):
                found = [_timed(probes[at], requests[turn % len(requests)]) for turn in range(begin, begin + block)]
                times[at] += found
    finally:
        gc.enable()
        for probe in probes:
            probe.close()
    return times


def _timed(probe: Probe, request: bytes) -> float:
    begun = time.monotonic_ns()
    status, _ = probe.call(request)
    taken = (time.monotonic_ns() - begun) / 1e6
    if status != OK:
        raise BenchFault(f"a call was answered with {status}")
    return taken
