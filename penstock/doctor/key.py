"""The master key: there, of the right length, and the one that sealed what is stored."""

from contextlib import closing

from penstock.control.first_start import MASTER_KEY
from penstock.core.sealing import NotOpened, Vault
from penstock.doctor import database
from penstock.doctor.finding import Findings, Subject, ok, problem
from penstock.storage import health, opening
from penstock.storage.errors import StoreUnavailable

_BYTES = 32


def check(subject: Subject) -> Findings:
    """That of the settings, else that of the data directory."""
    given, file = subject.settings.master_key, subject.settings.data_dir / MASTER_KEY
    try:
        sealed, untried = _sealed(subject), "there is nothing sealed yet to try it on"
    except StoreUnavailable:
        sealed, untried = None, "the database cannot be asked whether it fits"
    try:
        key = bytes.fromhex(given) if given else file.read_bytes()
    except FileNotFoundError:
        if sealed is None:
            yield ok("key", f"The first start makes {file}.")
        else:
            remedy = f"Restore {file} from a backup, or set master_key: another key opens none of the stored secrets."
            yield problem("key", f"{file} is missing, and the database holds what was sealed with it.", remedy)
        return
    except OSError as error:
        remedy = "Run this command as the user that Penstock runs as."
        yield problem("key", f"{file} cannot be read: {error.strerror}.", remedy)
        return
    name = "master_key" if given else str(file)
    if len(key) != _BYTES:
        remedy = "Restore it from a backup."
        yield problem("key", f"{name} has {len(key)} bytes instead of {_BYTES}: it is damaged.", remedy)
    elif sealed is None:
        yield ok("key", f"{name} has the right length; {untried}.")
    elif _opens(key, sealed):
        yield ok("key", f"{name} opens what is sealed in the database.")
    else:
        remedy = "Give the key that this database was first served with; another opens none of the stored secrets."
        yield problem("key", f"{name} does not open what is sealed in the database.", remedy)


def _sealed(subject: Subject) -> str | None:
    """What the key must open; None: nothing yet."""
    if database.absent(subject):
        return None
    with closing(opening.connect_reader(subject.database_url)) as connection:
        return health.key_check(connection)


def _opens(key: bytes, sealed: str) -> bool:
    try:
        Vault(key).open(sealed, *health.KEY_CHECK)
    except NotOpened:
        return False
    return True
