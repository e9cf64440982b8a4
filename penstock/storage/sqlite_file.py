"""The file of an SQLite database: its address, the right to write to it, and where it must not lie."""

import fcntl
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from penstock.storage.errors import StoreUnavailable

FILE = "penstock.db"

# SQLite's locks and its shared memory do not hold between machines.
_NETWORK = frozenset(
    {"afs", "beegfs", "ceph", "cifs", "gfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2"}
    | {"orangefs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs"}
    | {"fuse.juicefs", "fuse.mfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)


def file_of(url: str) -> Path:
    """The file a ``sqlite:///`` URL names (three slashes: relative, four: absolute).

    Raises StoreUnavailable for any other URL.
    """
    name = url.removeprefix("sqlite:///")
    if name == url or not name or name == ":memory:" or "?" in name:
        raise StoreUnavailable(
            f"database_url: {_without_password(url)!r} is neither sqlite:///path/to/file nor "
            "postgresql://user:password@host/database."
        )
    return Path(name)


class Lock:
    """The right to be the one who writes; gone with ``release``, after a ``with``, or with the process."""

    def __init__(self, name: Path, handle: int) -> None:
        self.name = name
        self._handle = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def lock(file: Path, role: str, *, wait: float = 0.0, pause: Callable[[float], None] = time.sleep) -> Lock:
    """Takes the lock ``<file>.<role>.lock``; raises StoreUnavailable if another process keeps it for ``wait`` seconds.

    The server holds ``server`` for its life; its log writer holds ``writer``, so that the writer of a killed
    server can finish before the next server's writer begins.
    """
    name = file.with_name(f"{file.name}.{role}.lock")
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                pause(0.02)
                continue
            os.close(handle)
            raise StoreUnavailable(
                f"The database {file} is in use by another Penstock process (it holds {name}). One process writes to "
                "an SQLite file: stop the other one, or give this one its own --data-dir."
            ) from None
        return Lock(name, handle)


def refuse_network_disk(file: Path, mounts: str | None = None) -> None:
    """Raises StoreUnavailable if ``file`` would lie on a network file system. ``mounts``: text as in /proc/mounts."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return
    place, kind = _mount(file.absolute().parent.resolve(), mounts)
    if kind in _NETWORK:
        raise StoreUnavailable(
            f"The database {file} is on a network disk ({kind}, mounted at {place}), where SQLite loses data: "
            "put --data-dir on a local disk."
        )


def _mount(folder: Path, mounts: str) -> tuple[str, str]:
    """Mount point and file system type of the mount that ``folder`` is on; of several at one point, the last."""
    best, kind = "", ""
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) < 3:  # noqa: PLR2004
            continue
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), words[1])
        if (folder == Path(point) or Path(point) in folder.parents) and len(point) >= len(best):
            best, kind = point, words[2]
    return best, kind


def _without_password(url: str) -> str:
    """The URL without a password."""
    return re.sub(r"//.*@", "//…@", url)
