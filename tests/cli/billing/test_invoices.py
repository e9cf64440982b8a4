"""``penstock billing close`` and ``invoices`` on a real database."""

import json
from contextlib import closing

import pytest

from penstock.storage import opening
from penstock.storage.charged_usage import start_of
from penstock.storage.log.table import LogTable
from tests.kit.command import command, spawned
from tests.kit.logsink import ACCOUNT, a_gateway, a_record
from tests.kit.store import first_started

MAY = 2026 * 12 + 4


@pytest.fixture
def data_dir(tmp_path):
    """Of an account that was charged $12.34 for a call in May 2026."""
    first_started(tmp_path, account_id=ACCOUNT, api_token="a-token-of-the-operators-own").store.close()
    with closing(opening.connect(opening.url_in(tmp_path))) as connection:
        a_gateway(connection)
        LogTable(connection).write([a_record(created_at=start_of(MAY), charge=(ACCOUNT, 12_340_000_000))])
    return tmp_path


def penstock(data_dir, *words, **environ):
    return command("billing", *words, cwd=data_dir, environ={"PENSTOCK_DATA_DIR": str(data_dir)} | environ)


def test_a_month_is_closed_once_with_the_tax_of_the_settings(data_dir):
    done = penstock(data_dir, "close", "--month", "2026-05", PENSTOCK_TAX_PERCENT="10")
    assert (done.status, done.err) == (0, "")
    assert done.out == f"202605-0001  2026-05  {ACCOUNT}  $13.57, $13.57 due\n"
    again = penstock(data_dir, "close", "--month", "2026-05")
    assert again.out == "Nothing is left to close until the end of 2026-05.\n"


def test_invoices_are_written_in_every_format(data_dir):
    penstock(data_dir, "close", "--month", "2026-05")
    lines = penstock(data_dir, "invoices").out.splitlines()
    assert lines[0] == "number,account,date,provider,model,calls,tokens_in,tokens_out,amount,billed"
    assert lines[1].startswith(f"202605-0001,{ACCOUNT},")
    assert lines[1].endswith(",openai,gpt-4o-mini,1,12,34,12.34,12.34")
    (told,) = json.loads(penstock(data_dir, "invoices", "--format", "json").out)
    assert (told["net"], told["due"], told["items"][0]["amount"]) == (1234, 1234, 12_340_000_000)
    for kind, start in (("html", b"<!doctype html>"), ("pdf", b"%PDF-")):
        out = data_dir / f"invoices.{kind}"
        done = penstock(data_dir, "invoices", "--month", "2026-05", "--format", kind, "--out", str(out))
        assert (done.status, done.out, done.err) == (0, "", "")
        assert out.read_bytes().startswith(start)
    assert json.loads(penstock(data_dir, "invoices", "--month", "2026-06", "--format", "json").out) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("close", "--month", "2999-01"), "month: 2999-01 has not ended"),
        (("close", "--month", "May"), "--month: must be a month such as 2026-11"),
        (("close", "--month", "2026-13"), "--month: must be a month such as 2026-11"),
        (("invoices", "--format", "doc"), "--format: must be one of html, pdf, csv, json"),
    ],
)
def test_what_is_wrong_is_named(data_dir, words, said):
    refused = penstock(data_dir, *words)
    assert refused.status == 2
    assert said in refused.err


def test_it_runs_in_a_process_of_its_own(data_dir):
    done = spawned("billing", "close", "--month", "2026-05", environ={"PENSTOCK_DATA_DIR": str(data_dir)})
    assert (done.status, done.err) == (0, "")
