"""Pages by number of searches that had to stop: where each of them begins."""

from collections import OrderedDict

import msgspec

from penstock.storage.log.listing import Asked

LISTS = 500  # remembered, the last that were asked for
PAGES = 1_000  # of one


class Pages:
    """A page of a search that stopped may be shorter than others, so that a number does not tell where one begins.

    In the memory of one process: where a page is not remembered, it is counted from the last one that is.
    """

    def __init__(self) -> None:
        self._starts: OrderedDict[tuple[int, Asked], dict[int, bytes]] = OrderedDict()

    def place(self, gateway: int, asked: Asked, page: int) -> Asked:
        """The list from where that page begins. ``asked``: its first page."""
        starts = self._starts.get((gateway, asked), {})
        known = max((number for number in starts if number <= page), default=1)
        offset, start = (page - known) * asked.limit, starts.get(known, asked.beyond)
        return msgspec.structs.replace(asked, offset=offset, beyond=start)

    def passed(self, gateway: int, asked: Asked, page: int, more: bytes | None, *, stopped: bool) -> None:
        """Remembers where the next page begins: of a search that stopped, and from then on."""
        key = (gateway, asked)
        if page == 1:
            self._starts.pop(key, None)
        starts = self._starts.get(key)
        if more is None or (starts is None and not stopped):
            return
        starts = self._starts.setdefault(key, {})
        self._starts.move_to_end(key)
        if len(starts) < PAGES:
            starts[page + 1] = more
        while len(self._starts) > LISTS:
            self._starts.popitem(last=False)
