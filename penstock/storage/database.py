"""Where the data is: the database's address, its connections, and the checks before it is used."""

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

from penstock.storage.errors import StoreUnavailable

Connection = sqlite3.Connection  # for those who may not import the driver

FILE = "penstock.db"

# SQLite's locks and its shared memory do not hold between machines.
_NETWORK = frozenset(
    {"afs", "beegfs", "ceph", "cifs", "gfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2"}
    | {"orangefs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs"}
    | {"fuse.juicefs", "fuse.mfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)
PRAGMAS = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # in WAL mode: a power cut may cost the last commits, never the file
    "PRAGMA foreign_keys=ON",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA cache_size=-16384",
)


def default_url(data_dir: Path) -> str:
    """The URL of the database in the data directory."""
    return f"sqlite:///{(data_dir / FILE).absolute()}"


def file_of(url: str) -> Path:
    """The file a ``sqlite:///`` URL names (three slashes: relative, four: absolute).

    Raises StoreUnavailable for any other URL.
    """
    if url.startswith("postgresql"):
        raise StoreUnavailable(
            "database_url: PostgreSQL is not supported by this version; leave database_url out or give sqlite:///file."
        )
    name = url.removeprefix("sqlite:///")
    if name == url or not name or name == ":memory:" or "?" in name:
        raise StoreUnavailable(f"database_url: {_shown(url)!r} is not of the form sqlite:///path/to/file.")
    return Path(name)


def connect(file: Path) -> Connection:
    """A connection that writes; creates the file (mode 0600). Transactions are explicit: BEGIN IMMEDIATE … COMMIT."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return _open(str(file), PRAGMAS)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"Cannot open the database {file}: {error}") from error


def connect_reader(file: Path) -> Connection:
    """A connection that can only read, beside whoever writes. Raises StoreUnavailable where there is no file."""
    if not file.is_file():
        raise StoreUnavailable(
            f"There is no database at {file}: start the server once, or name another data directory."
        )
    try:
        return _open(f"file:{_quoted(file)}?mode=ro", ("PRAGMA busy_timeout=5000", "PRAGMA query_only=ON"), uri=True)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"Cannot open the database {file}: {error}") from error


def _open(name: str, pragmas: tuple[str, ...], *, uri: bool = False) -> Connection:
    connection = sqlite3.connect(name, uri=uri, isolation_level=None)
    try:
        for pragma in pragmas:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(file: Path) -> Generator[Connection, None, None]:
    """One transaction on a connection of its own: all or nothing. Raises StoreUnavailable."""
    try:
        with closing(connect(file)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")  # closing without it undoes everything
    except sqlite3.Error as error:
        raise StoreUnavailable(f"Cannot write to the database {file}: {error}") from error


class Lock:
    """The right to be the one who writes; gone with ``release`` or with the process."""

    def __init__(self, name: Path, handle: int) -> None:
        self.name = name
        self._handle = handle

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


def _quoted(file: Path) -> str:
    return str(file.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _shown(url: str) -> str:
    """The URL without a password."""
    return re.sub(r"//[^@/]*@", "//…@", url)
