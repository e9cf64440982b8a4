"""The database: whether it is there, can be written, and has the schema of this version."""

from contextlib import closing

from penstock.doctor.finding import Finding, Findings, Subject, ok, problem, warning
from penstock.storage import health, opening, schema, sqlite_file
from penstock.storage.errors import StoreRefused, StoreUnavailable

_AWAY = "Start PostgreSQL, and check host, port and name in database_url, and what lies between."
_REFUSED = "Check user, password and database name in database_url, and what that user may do."
_FILE = "Check that this user may read and write the file and its directory, and that the disk is not full."


def absent(subject: Subject) -> bool:
    """Whether there is no SQLite file yet. Raises StoreUnavailable for an address that is none."""
    return not (subject.shared or sqlite_file.file_of(subject.database_url).exists())


def check(subject: Subject) -> Findings:
    """Reachable, of which version, writable."""
    url = subject.database_url
    try:
        if not subject.shared:
            sqlite_file.refuse_network_disk(sqlite_file.file_of(url))
        if absent(subject):
            yield from _place(subject)
            return
        with closing(opening.connect(url)) as connection:
            version = health.version(connection)
            health.try_to_write(connection)
        yield ok("database", f"{version} at {opening.shown(url)} can be read and written.")
    except StoreUnavailable as error:
        yield problem("database", _sentence(error), _remedy(subject, error))


def migrations(subject: Subject) -> Findings:
    """Which revision the schema is at, and what to run."""
    try:
        if absent(subject):
            yield ok("migrations", "There is no database yet: the first start makes it.")
            return
        with closing(opening.connect_reader(subject.database_url)) as connection:
            at, missing = schema.revision(connection), schema.pending(connection, subject.database_url)
    except StoreUnavailable as error:
        if "newer version" in error.message:
            yield problem("migrations", _sentence(error), "Install the version that wrote it, or restore a backup.")
        elif "alembic_version" in error.message:
            yield problem(
                "migrations", _sentence(error), "Restore a backup, or write the revision back into the table."
            )
        else:
            yield warning("migrations", "Not known while the database cannot be read.", "See to the database first.")
        return
    yield state(at, missing, shared=subject.shared)


def state(at: str | None, missing: tuple[str, ...], *, shared: bool, needed: str = schema.NEEDED) -> Finding:
    """What it means that the schema is at a revision and has not reached those that are missing."""
    if at is None:
        return ok("migrations", "The database is empty: the first start, or `penstock migrate`, fills it.")
    if not missing:
        return ok("migrations", f"The schema is at revision {at}; this version knows no newer one.")
    if not shared:
        text = f"The schema is at revision {at}; the next start brings it to {missing[-1]}."
        return warning("migrations", text, "Back the database up, then start the server.")
    if needed in missing:
        text = f"The schema is at revision {at}; this version needs {needed}."
        return problem("migrations", text, "Run `penstock migrate`.")
    text = f"The schema is at revision {at}, which is enough; {missing[-1]} takes out what older versions need."
    remedy = "Run `penstock migrate --finish` when no process of an older version runs any more."
    return warning("migrations", text, remedy)


def _place(subject: Subject) -> Findings:
    file = sqlite_file.file_of(subject.database_url).absolute()
    if subject.settings.database_url and not file.parent.is_dir():
        text = f"The database {file} cannot be created: there is no directory {file.parent}."
        yield problem("database", text, f"Make it (mkdir -p {file.parent}), or set database_url to another file.")
    else:
        yield ok("database", f"The first start makes {file}.")


def _remedy(subject: Subject, error: StoreUnavailable) -> str:
    if not subject.shared:
        if "network disk" in error.message:
            return "Move data_dir to a disk of this machine, or use PostgreSQL."
        return _FILE
    return _REFUSED if isinstance(error, StoreRefused) else _AWAY


def _sentence(error: StoreUnavailable) -> str:
    return error.message.rstrip(".") + "."
