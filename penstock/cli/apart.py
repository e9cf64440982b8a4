"""The preparation of the store in a process of its own, which takes all that it had to import with it when it ends.

The parent of several serving processes lives as long as the server, and needs a third of the memory so.
"""

import os
import traceback
from collections.abc import Callable

from penstock.cli.refused import Refused
from penstock.control.first_start import Start, StartError
from penstock.core import codec
from penstock.storage.errors import StoreUnavailable
from penstock.storage.schema import Store


class _Told(codec.Struct):
    """What the process tells: what a ``Start`` has, or why there is none."""

    refusal: str = ""
    url: str = ""
    accounts: tuple[str, ...] = ()
    first: bool = False
    token: str | None = None
    master_keys: tuple[bytes, ...] = ()
    link: str = ""


def apart(prepare: Callable[[], Start]) -> Start:
    """What ``prepare`` returns, for a database that several may use. To be called while there is but one thread.

    Raises Refused.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        _prepare(prepare, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        data = answer.read()
    os.waitpid(process, 0)
    if not data:
        raise Refused("the store could not be prepared; the reason is above.")
    told = codec.unpacker(_Told).decode(data)
    if told.refusal:
        raise Refused(told.refusal)
    return Start(Store(told.url), told.accounts, told.first, told.token, told.master_keys, told.link)


def _prepare(prepare: Callable[[], Start], writing: int) -> None:
    """Never returns: all that the parent would do at its end is the parent's to do."""
    try:
        with os.fdopen(writing, "wb") as answer:
            answer.write(codec.pack(_tell(prepare)))
    except BaseException:  # noqa: BLE001  a fault of ours, or a signal: told, and not taken along
        traceback.print_exc()
    finally:
        os._exit(0)


def _tell(prepare: Callable[[], Start]) -> _Told:
    try:
        start = prepare()
    except (StartError, StoreUnavailable) as refusal:
        return _Told(str(refusal))
    return _Told("", start.store.url, start.accounts, start.first, start.token, start.master_keys)
