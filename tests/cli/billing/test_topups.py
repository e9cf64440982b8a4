"""``penstock billing topups``, ``paid`` and ``cancel`` on a real database."""

import json
from contextlib import closing

import pytest

from penstock.control.context import Context
from penstock.control.topups import service
from penstock.control.topups.schema import TopupCreate
from penstock.storage import accounts, opening
from tests.kit.command import command, spawned
from tests.kit.store import first_started

ACCOUNT, OTHER = "0123456789abcdef" * 2, "f" * 32


@pytest.fixture
def data_dir(tmp_path):
    """Of two accounts, each with a top-up that waits."""
    from penstock.cli import store

    first_started(tmp_path, account_id=ACCOUNT, api_token="a-token-of-the-operators-own").store.close()
    with closing(opening.connect(opening.url_in(tmp_path))) as connection:
        accounts.add_account(connection, OTHER, 1)
    place = store.find(str(tmp_path), None, None)
    for account in (ACCOUNT, OTHER):
        store.run(
            place,
            lambda control, a=account: service.create(
                Context(control, a, "ann"), TopupCreate(amount=1250, payment_method_id=None)
            ),
        )
    return tmp_path


def penstock(data_dir, *words):
    return command("billing", *words, cwd=data_dir, environ={"PENSTOCK_DATA_DIR": str(data_dir)})


def listed(data_dir, *words):
    return [json.loads(line) for line in penstock(data_dir, "topups", "--json", *words).out.splitlines()]


def test_one_is_marked_paid_once_whatever_account_it_is_of(data_dir):
    newest, older = listed(data_dir)
    assert (newest["account"], older["account"], newest["amount"]) == (OTHER, ACCOUNT, 1250)
    for _ in range(2):
        done = penstock(data_dir, "paid", newest["id"])
        assert (done.status, done.out) == (
            0,
            f"Top-up {newest['id']} is completed: account {OTHER} was credited $12.50, once.\n",
        )
    assert [row["paid"] for row in listed(data_dir)] == [1250, 0]
    assert [row["id"] for row in listed(data_dir, "--state", "pending")] == [older["id"]]
    table = penstock(data_dir, "topups", "--account", OTHER).out.splitlines()
    assert table[0].split() == ["id", "account", "created", "method", "state", "amount", "paid", "back", "reason"]
    assert table[1].split()[4:] == ["manual", "completed", "12.50", "12.50", "0.00", "-"]


def test_one_is_canceled_and_then_not_paid(data_dir):
    _, older = listed(data_dir)
    assert penstock(data_dir, "cancel", older["id"]).out == f"Top-up {older['id']} is canceled.\n"
    refused = penstock(data_dir, "paid", older["id"])
    assert (refused.status, refused.err) == (1, "penstock billing paid: The top-up is canceled already.\n")


def test_an_unknown_one_is_refused(data_dir):
    refused = spawned("billing", "paid", "x", environ={"PENSTOCK_DATA_DIR": str(data_dir)})
    assert refused.status == 1
    assert "there is no top-up x; `penstock billing topups` shows them." in refused.err
