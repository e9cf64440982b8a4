"""Room on the disks, and who may read what is secret."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from penstock.control import master_key
from penstock.control.first_start import CREDENTIALS
from penstock.core.settings import SETTINGS, Settings
from penstock.doctor.finding import Finding, Findings, Subject, ok, problem, warning
from penstock.storage import sqlite_file
from penstock.storage.errors import StoreUnavailable

LITTLE = 1_000_000_000  # bytes; below it is time to do something
LEAST = 100_000_000  # bytes; below, the log soon cannot be written
_FILES = 1_000  # that can still be made
_GB = 1_000_000_000


def check(subject: Subject) -> Findings:
    """Free space where Penstock writes, and the permissions of its files."""
    if subject.shared:
        yield ok("disk", "Penstock writes to PostgreSQL alone; watch the room on that server's disk.")
    else:
        yield from _writable(subject.settings.data_dir)
        for name, place in _places(subject).items():
            yield room(name, place, *_free(place))
    yield from permissions(subject.settings)


def room(name: str, place: Path, size: int, files: int) -> Finding:
    """What so many bytes, and so many files that can be made (-1: any number), mean."""
    text = f"{size / _GB:.1f} GB are free on the disk of {name} ({place})."
    if size < LEAST:
        return problem("disk", text, "Free space, or move it to a larger disk: calls go on, but the log is lost.")
    if size < LITTLE:
        return warning("disk", text, "Free space, or move it to a larger disk, before the log fills the rest.")
    if 0 <= files < _FILES:
        text = f"No more than {files} files can be made on the disk of {name} ({place})."
        return warning("disk", text, "Remove files there: the file system has run out of inodes.")
    return ok("disk", text)


def permissions(settings: Settings) -> Findings:
    """Who may read the files that hold secrets."""
    data_dir = settings.data_dir
    private = [data_dir / name for name in (master_key.FILE, master_key.PREVIOUS, CREDENTIALS, sqlite_file.FILE)]
    found = [path for path in private if path.exists()]
    open_ones = [path for path in found if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    for path in open_ones:
        text = f"{path} can be read by others than its owner (mode {stat.S_IMODE(path.stat().st_mode):o})."
        yield problem("permissions", text, f"chmod 600 {path}, and if others had access, change what it holds.")
    for path in found:
        if path.stat().st_uid != data_dir.stat().st_uid:
            text = f"{path} and its directory have different owners, so that the server may not be able to use it."
            yield warning("permissions", text, f"chown {data_dir.stat().st_uid} {path}")
        elif not os.access(path, os.R_OK):
            text = f"{path} cannot be read by user {os.geteuid()}."
            yield problem("permissions", text, "Run Penstock, and this command, as the user who owns the directory.")
    if found and not open_ones:
        yield ok("permissions", f"Keys, tokens and log in {data_dir} are for their owner alone.")
    yield from _config(settings.config)


def _config(file: Path) -> Findings:
    """A configuration file that holds secrets is one."""
    try:
        text, mode = file.read_text("utf-8"), file.stat().st_mode
    except (OSError, UnicodeDecodeError):
        return
    secrets = {row.name for row in SETTINGS if row.secret}
    named = sorted(name for line in text.splitlines() if (name := line.partition("=")[0].strip()) in secrets)
    if named and mode & stat.S_IRWXO:
        text = f"{file} holds {', '.join(named)} and can be read by everybody."
        yield warning("permissions", text, f"chmod 640 {file}, with the server's group; or give them as variables.")


def _places(subject: Subject) -> dict[str, Path]:
    """What Penstock writes and where, by the nearest directory that exists; each file system once."""
    places = {"data_dir": subject.settings.data_dir}
    with suppress(StoreUnavailable):  # the check of the database says so
        places["the database"] = sqlite_file.file_of(subject.database_url).parent
    found: dict[int, tuple[str, Path]] = {}
    for name, place in places.items():
        there = existing(place)
        found.setdefault(there.stat().st_dev, (name, there))
    return dict(found.values())


def existing(place: Path) -> Path:
    """The directory, or the nearest one above it that is there."""
    return next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.is_dir())


def _free(place: Path) -> tuple[int, int]:
    """Bytes, and files that can be made; -1: this file system does not count them."""
    about = os.statvfs(place)
    return about.f_bavail * about.f_frsize, about.f_favail if about.f_files else -1


def _writable(data_dir: Path) -> Findings:
    there = existing(data_dir)
    if data_dir.exists() and not data_dir.is_dir():
        yield problem("disk", f"data_dir {data_dir} is no directory.", "Set data_dir to a directory of its own.")
    elif not os.access(there, os.W_OK | os.X_OK):
        what = "cannot be written" if there == data_dir.absolute() else f"cannot be made in {there}"
        remedy = f"Give it to user {os.geteuid()} (chown), or set data_dir to another directory."
        yield problem("disk", f"data_dir {data_dir} {what} by user {os.geteuid()}.", remedy)
