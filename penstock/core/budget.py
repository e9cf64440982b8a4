"""A process-wide allowance, of which no account and no gateway can take all."""

from typing import Protocol

SMALL = 64 * 1024  # bytes; what is no larger may use the reserve
_MANY = 1024  # shares beyond which those that hold nothing are dropped


class Allowance(Protocol):
    """What can be taken and must be given back."""

    def try_take(self, size: int, *, small: bool = False) -> bool:
        """False, and nothing is taken, where there is no room for so much. ``small``: the reserve may be used."""
        ...

    def give(self, size: int) -> None: ...


class Budget:
    """Counts what is held of something scarce: bytes, or calls.

    A gateway takes through its ``share``, which keeps

        used + used by its account + used by the gateway ≤ limit

    While others hold nothing, one gateway can have a third of the limit and one account half. The more is held, the
    less each may take, so whoever comes next finds room: of what is free, a third for its gateway.

    ``reserve``: the last part of the limit, which only small things may use. ``floor``: so much an account may
    always hold, as long as the limit itself allows it.
    """

    __slots__ = ("_accounts", "_most", "_shares", "floor", "limit", "reserve", "used")

    def __init__(self, limit: int, *, reserve: int | None = None, floor: int = 0) -> None:
        self.limit = limit
        self.reserve = limit // 8 if reserve is None else reserve
        self.floor = floor
        self.used = 0
        self._most = _MANY
        self._shares: dict[int, Share] = {}
        self._accounts: dict[str, _Account] = {}

    def share(self, account: str, gateway: int) -> "Share":
        """The part of a gateway; ``gateway`` is its number."""
        return self._shares.get(gateway) or self._open(account, gateway)

    def try_take(self, size: int, *, small: bool = False) -> bool:
        """Takes for nobody in particular: what does not belong to a gateway, or not yet."""
        used = self.used + size
        if used > (self.limit if small else self.limit - self.reserve):
            return False
        self.used = used
        return True

    def give(self, size: int) -> None:
        self.used -= size

    def _open(self, account: str, gateway: int) -> "Share":
        if len(self._shares) >= self._most:
            self._shares = {number: share for number, share in self._shares.items() if share.used}
            self._accounts = {share.account.id: share.account for share in self._shares.values()}
            self._most = max(_MANY, 2 * len(self._shares))
        owner = self._accounts.setdefault(account, _Account(account))
        share = self._shares[gateway] = Share(self, owner)
        return share


class _Account:
    __slots__ = ("id", "used")

    def __init__(self, name: str) -> None:
        self.id = name
        self.used = 0


class Share:
    """What one gateway holds."""

    __slots__ = ("account", "budget", "used")

    def __init__(self, budget: Budget, account: _Account) -> None:
        self.budget = budget
        self.account = account
        self.used = 0

    def try_take(self, size: int, *, small: bool = False) -> bool:
        budget, account = self.budget, self.account
        used, owned, own = budget.used + size, account.used + size, self.used + size
        room = budget.limit if small else budget.limit - budget.reserve
        if used + owned + own > room and (owned > budget.floor or used > room):
            return False
        budget.used, account.used, self.used = used, owned, own
        return True

    def give(self, size: int) -> None:
        self.budget.used -= size
        self.account.used -= size
        self.used -= size

    def leave(self, _: object) -> None:
        """Gives back one: for a call that ends."""
        self.give(1)
