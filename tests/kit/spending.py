"""Plain models of money that is reserved and spent, to which the real ones are held."""

from hypothesis import strategies as st

from penstock.model.money import FOREVER, Budget, Window

START = 1_796_083_200_000  # a Tuesday in December
WINDOWS = (
    Window("fixed", "second", 10),
    Window("fixed", "day"),
    Window("fixed", "month"),
    Window("sliding", "second", 10),
    Window("sliding", "day"),
    FOREVER,
)

BUDGETS = st.lists(st.tuples(st.integers(3, 30), st.sampled_from(WINDOWS)), min_size=3, max_size=3)
CLAIMS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=1, max_size=3, unique_by=lambda one: one[0])
"""Which budget, and how much."""


def mixed(kinds):
    """Steps of these kinds, of which calls are the most frequent."""
    often = [*["reserve"] * 6, *["settle"] * 4, *kinds]
    steps = [st.tuples(st.just(kind), *kinds[kind]) for kind in often]
    return st.lists(st.integers(0, len(steps) - 1).flatmap(steps.__getitem__), min_size=12, max_size=40)


STEPS = mixed(
    {
        "reserve": (CLAIMS,),
        "settle": (st.integers(0, 9), st.integers(0, 8)),
        "settle again": (st.integers(0, 9), st.integers(0, 8)),
        "pass": (st.sampled_from([1, 700, 4000, 11_000, 700_000, 90_000_000, 20 * 86_400_000]),),
        "limit": (st.integers(0, 2), st.integers(1, 30)),
        "crash": (),
    }
)


class Model:
    """What was spent is a list, what is reserved another one. ``now``: the clock of all."""

    def __init__(self, budgets):
        self.now = START
        self.budgets = [Budget(f"budget {at}", limit, window) for at, (limit, window) in enumerate(budgets)]
        self.spent = []  # owner, bucket, amount
        self.open = {}  # claims by reservation
        self.ended = []  # reservations, with their claims

    def held(self, budget):
        oldest = budget.window.oldest(self.now)
        spent = sum(amount for owner, start, amount in self.spent if owner == budget.owner and start >= oldest)
        reserved = sum(
            claim.amount for claims in self.open.values() for claim in claims if claim.budget.owner == budget.owner
        )
        return spent, reserved

    def refused(self, claims):
        """Place of the first claim that is not covered."""
        for at, (budget, amount) in enumerate(claims):
            if sum(self.held(budget)) + max(1, amount) > budget.limit:
                return at
        return None

    def reserve(self, reservation, claims):
        self.open[reservation] = claims

    def settle(self, reservation, amounts):
        claims = self.open.pop(reservation)
        self.ended.append((reservation, claims))
        for (budget, _), amount in zip(claims, amounts, strict=True):
            self.spent.append((budget.owner, budget.window.bucket(self.now), amount))

    def die(self):
        """The process ends with what it has reserved, which counts as spent when it was reserved."""
        for reservation, claims in list(self.open.items()):
            self.settle(reservation, [claim.amount for claim in claims])

    def rows(self):
        """As the database keeps them."""
        windows, sums = {budget.owner: budget.window for budget in self.budgets}, {}
        for owner, start, amount in self.spent:
            sums[owner, start] = sums.get((owner, start), 0) + amount
        return [(owner, start, windows[owner].ends(start), amount) for (owner, start), amount in sums.items()]
