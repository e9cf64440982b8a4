from penstock.core import ids
from penstock.model.money import FOREVER, Budget, Window
from penstock.storage import ledger, spending
from penstock.storage.ledger import Entry
from penstock.storage.spending import LATE, ROWS, Spent
from penstock.storage.sql import Sql
from tests.kit.logsink import ACCOUNT, a_record

NOW = 1_700_000_000_000


def add(connection: Sql, *spends: tuple[str, int, int, int]) -> None:
    with connection.transaction():
        spending.add(connection, [a_record(spends=(one,)) for one in spends])


def test_buckets_are_summed_over_batches(connection: Sql):
    add(connection, ("token:a", 0, 0, 5), ("token:a", 0, 0, 6), ("rule:1:r:", NOW, NOW + 9, 1))
    add(connection, ("token:a", 0, 0, 7), ("rule:1:r:", NOW - 9, NOW + 5, 2), ("rule:1:r:", NOW, NOW + 9, 0))
    assert sorted(spending.rows(connection, NOW)) == [
        Spent("rule:1:r:", NOW - 9, NOW + 5, 2),
        Spent("rule:1:r:", NOW, NOW + 9, 1),
        Spent("token:a", 0, 0, 18),
    ]


def test_what_has_ended_counts_no_more_and_goes_in_time(connection: Sql):
    add(connection, ("token:a", 0, 0, 5), ("token:a", 1, NOW, 6), ("token:a", 2, NOW + 1, 7))
    assert {spent.amount for spent in spending.rows(connection, NOW)} == {5, 7}
    for now, left in ((NOW + LATE, 3), (NOW + LATE + 1, 2), (NOW + 9 * LATE, 1)):
        assert list(spending.expire(connection, now)) == []
        assert connection.execute("SELECT count(*) FROM spent") == [(left,)]


def test_of_a_budget_counts_what_lies_within_its_window(connection: Sql):
    add(connection, ("token:a", 0, 0, 5), ("token:a", NOW - 9_000, NOW, 6), ("token:a", NOW - 2_000, NOW, 7))
    windows = {"token:a": Window("sliding", "second", 5), "token:b": FOREVER}
    budgets = [Budget(owner, 9, window) for owner, window in windows.items()]
    assert spending.counted(connection, budgets, NOW) == {"token:a": 7, "token:b": 0}
    assert spending.counted(connection, [Budget("token:a", 9, FOREVER)], NOW) == {"token:a": 18}


def test_of_credit_all_that_was_ever_charged_is_spent(connection: Sql):
    add(connection, (f"credit:{ACCOUNT}", 0, 0, 5))
    charged = (("credit", -30), ("usage", 30))
    with connection.transaction():
        ledger.post(connection, [Entry(ids.new(), ACCOUNT, "call", NOW, None, None, charged)])
    assert spending.rows(connection, NOW) == [Spent(f"credit:{ACCOUNT}", 0, 0, 30)]


def test_many_buckets_go_in_bounded_steps(connection: Sql):
    add(connection, *((f"token:{n}", 0, 1, 5) for n in range(ROWS + 1)))
    assert list(spending.expire(connection, NOW)) == [None]
    assert connection.execute("SELECT count(*) FROM spent") == [(0,)]
