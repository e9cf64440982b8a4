"""The master key: there, of the right length, and the one that sealed what is stored; and the one before it."""

from contextlib import closing

from penstock.control import master_key
from penstock.core.sealing import NotOpened, Vault
from penstock.doctor import database
from penstock.doctor.finding import Findings, Subject, ok, problem, warning
from penstock.storage import health, opening
from penstock.storage.errors import StoreUnavailable


def check(subject: Subject) -> Findings:
    """That of the settings, else that of the data directory."""
    settings = subject.settings
    file = settings.data_dir / master_key.FILE
    try:
        sealed, untried = _sealed(subject), "there is nothing sealed yet to try it on"
    except StoreUnavailable:
        sealed, untried = None, "the database cannot be asked whether it fits"
    previous = None
    try:
        previous = master_key.read_previous(settings.data_dir, settings.master_key_previous)
        key = master_key.read(settings.data_dir, settings.master_key)
        keys = master_key.together(key, previous)
    except FileNotFoundError:
        yield from _missing(str(file), sealed, previous)
        return
    except master_key.Unusable as error:
        remedy = "Give it as it was, from a backup; and run this command as the user that Penstock runs as."
        yield problem("key", str(error), remedy)
        return
    name = "master_key" if settings.master_key else str(file)
    if sealed is None:
        yield ok("key", f"{name} has the right length; {untried}.")
    elif _opens(sealed, key):
        more = "" if previous is None else "; the previous key may go"
        yield ok("key", f"{name} opens what is sealed in the database{more}.")
    elif _opens(sealed, *keys):
        text = f"What is sealed in the database still needs the previous master key; {name} is to take its place."
        yield warning("key", text, "Restart every server with both, then run `penstock keys rotate-master`.")
    else:
        remedy = "Give the key that this database was last served with; another opens none of the stored secrets."
        yield problem("key", f"{name} does not open what is sealed in the database.", remedy)


def _missing(file: str, sealed: str | None, previous: bytes | None) -> Findings:
    if sealed is None or (previous is not None and _opens(sealed, previous)):
        yield ok("key", f"The {'first' if sealed is None else 'next'} start makes {file}.")
        return
    remedy = f"Restore {file} from a backup, or set master_key: another key opens none of the stored secrets."
    yield problem("key", f"{file} is missing, and the database holds what was sealed with it.", remedy)


def _sealed(subject: Subject) -> str | None:
    """What the key must open; None: nothing yet."""
    if database.absent(subject):
        return None
    with closing(opening.connect_reader(subject.database_url)) as connection:
        return health.key_check(connection)


def _opens(sealed: str, *keys: bytes) -> bool:
    try:
        Vault(*keys).open(sealed, *health.KEY_CHECK)
    except NotOpened:
        return False
    return True
