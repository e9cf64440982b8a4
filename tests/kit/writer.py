"""The log writer as a process, fed by hand."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from penstock.core import codec
from penstock.model.record import LogRecord
from penstock.worker import log_writer

PATIENCE = 30.0


class Writer:
    """A running one."""

    def __init__(self, link: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        self.link = link
        self.process = process
        self.full = 0  # rows that it has left out because their gateways are full
        self._open = False

    def send(self, records: list[LogRecord]) -> None:
        self.link.sendall(frame(records))

    def answer(self) -> int:
        """The next number that it says: first whether it is open, then how many rows are durable."""
        number = self._number()
        if self._open:
            self.full = self._number()
        self._open = True
        return number

    def _number(self) -> int:
        data = b""
        while len(data) < 8:
            more = self.link.recv(8 - len(data))
            assert more
            data += more
        return int.from_bytes(data, "big")

    def until(self, count: int) -> None:
        """Returns when so many rows are durable."""
        while self.answer() < count:
            pass

    def line(self) -> str:
        """The next line on its standard error output."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().decode()

    def end(self) -> int:
        """Ends its input; returns the exit status."""
        self.link.close()
        return self.process.wait(PATIENCE)


@contextmanager
def writing(url: str, sender: bytes | None = None, start: int = 0) -> Generator[Writer]:
    """A log writer for the block; it has not said anything yet. ``sender``: whose records come, from which one on."""
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE)
    command = [sys.executable, "-m", "penstock.worker.log_writer", "--fd", str(theirs.fileno())]
    command += ["--sender", (sender or os.urandom(16)).hex(), "--start", str(start)]
    command += ["--days", "62,400,1100"]
    environ = os.environ | {log_writer.URL: url}
    with (
        ours,
        subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, env=environ) as process,
    ):
        theirs.close()
        try:
            yield Writer(ours, process)
        finally:
            process.kill()


def frame(records: list[LogRecord]) -> bytes:
    """As the server sends them."""
    packed = codec.pack(records)
    return len(packed).to_bytes(4, "big") + packed
