"""Months are closed once, and what they come to is shown, paid and written."""

import asyncio
import csv
import io
from html.parser import HTMLParser

import pytest

from penstock.control.invoices import close as closing
from penstock.control.invoices import documents
from penstock.control.invoices.close import close
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.storage import ledger
from penstock.storage.charged_usage import month_of, start_of
from penstock.storage.engine import within
from tests.control.invoices.conftest import JUNE, MAY, charge
from tests.control.topups.conftest import CENT, CUSTOMER, FOREIGN, LIMITED
from tests.kit.client import until
from tests.kit.store import ACCOUNT, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

HISTORY, PREVIEW = "/billing/invoice-history", "/billing/invoice-preview"
HOSTILE = "<script>alert(1)</script>&=cmd"


def control(api):
    return api.house.server.app.control


async def paid(api, cents):
    await api.done("POST", f"/billing/topups/{await api.topup(cents)}/paid")


async def months(api):
    """The history's months, newest first."""
    bills = (await api.done("GET", HISTORY))["invoices"]
    return [(b["amount_due"], b["amount_remaining"], b["status"]) for b in bills if b["invoice_origin"] == "month"]


async def fetch(api, name, secret=SECRET):
    at = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/billing/invoices/{name}"
    return await api.client.get(at, headers={"authorization": f"Bearer {secret}"})


async def test_the_sdk_asks_for_history_and_preview(api):
    now = month_of(instants.now())
    await paid(api, 1000)
    await charge(api, MAY, 500)
    await close(control(api), MAY, "ann")
    await charge(api, now, 350.4, provider="anthropic", model="claude")
    await charge(api, now, 49.8)
    await charge(api, now, 49.8)
    async with api.sdk() as client:
        billing = client.ai_gateway.billing
        shown = await billing.invoice_preview(account_id=ACCOUNT)
        assert [(line.description, line.amount, line.quantity) for line in shown.invoice_lines] == [
            ("anthropic claude", 350, 1),
            ("openai gpt-4o-mini", 100, 2),
            ("VAT 19 %", 86, 1),
        ]
        assert shown.invoice_lines[1].pricing.unit_amount_decimal == "49.8"
        assert (shown.status, shown.currency, shown.amount_due) == ("draft", "usd", 131)
        by_credit = [one.amount for line in shown.invoice_lines for one in line.pretax_credit_amounts or ()]
        assert sum(by_credit) == 405  # 1000 - 595
        assert sum(line.amount for line in shown.invoice_lines) - sum(by_credit) == shown.amount_due
        assert (shown.period_start, shown.period_end) == (start_of(now) // 1000, start_of(now + 1) // 1000)
        told = await billing.invoice_history(account_id=ACCOUNT, type="all")
        assert [(bill.invoice_origin, bill.amount_due, bill.status) for bill in told.invoices] == [
            ("month", 595, "paid"),
            ("manual", 1000, "paid"),
        ]
        assert (told.pagination.total_count, told.pagination.has_more) == (2, False)
        assert [
            bill.amount_paid for bill in (await billing.invoice_history(account_id=ACCOUNT, type="manual")).invoices
        ] == [1000]
        assert (await billing.invoice_history(account_id=ACCOUNT, type="auto")).invoices == []
    first = await api.done("GET", HISTORY, params={"per_page": 1})
    assert first["pagination"] == {"has_more": True, "page": 1, "per_page": 1, "total_count": 2}
    second = await api.done("GET", HISTORY, params={"per_page": 1, "page": 2})
    assert [bill["invoice_origin"] for bill in (first["invoices"] + second["invoices"])] == ["month", "manual"]


async def test_a_month_is_closed_once_whoever_closes_it(api):
    await charge(api, MAY, 100.4)
    made = await asyncio.gather(*(close(control(api), MAY, "ann") for _ in range(4)))
    ((row,),) = [rows for rows in made if rows]
    assert (row.number, row.net, row.tax, row.credits, row.due) == ("202605-0001", 100, 19, 0, 119)
    async with api.database.reading() as connection:
        books = await within(connection, lambda sql: ledger.balances(sql, ACCOUNT))
    assert (books["tax"], books["usage"]) == (19 * CENT, round(100.4 * CENT))
    assert sum(books.values()) == 0


async def test_what_comes_late_is_on_the_next_invoice_and_the_closed_one_stays(api):
    await charge(api, MAY, 100)
    await close(control(api), MAY, "ann")
    await charge(api, MAY, 30)
    assert await close(control(api), MAY, "ann") == []
    (late,) = await close(control(api), JUNE, "ann")
    assert (late.month, late.net) == (JUNE, 30)
    assert await close(control(api), JUNE + 1, "ann") == []
    assert [due for due, *_ in await months(api)] == [36, 119]


async def test_months_that_were_left_open_are_closed_in_their_order(api):
    await charge(api, MAY, 100)
    await charge(api, JUNE, 200)
    made = await close(control(api), JUNE + 2, "ann")
    assert [(row.month, row.total, row.due) for row in made] == [(MAY, 119, 119), (JUNE, 238, 238)]


async def test_credit_pays_and_what_is_paid_later_counts_for_the_oldest_month(api):
    await charge(api, MAY, 1000)
    await charge(api, JUNE, 1000)
    await close(control(api), JUNE, "ann")
    assert await months(api) == [(1190, 1190, "open"), (1190, 1190, "open")]
    await paid(api, 1500)
    assert await months(api) == [(1190, 880, "open"), (1190, 0, "paid")]
    await paid(api, 1000)
    assert await months(api) == [(1190, 0, "paid"), (1190, 0, "paid")]
    await charge(api, JUNE + 1, 120)  # of the month that runs: the invoices stay paid
    assert [left for _, left, _ in await months(api)] == [0, 0]


async def test_a_month_that_runs_cannot_be_closed(api):
    now = month_of(instants.now())
    with pytest.raises(Invalid, match="has not ended"):
        await close(control(api), now, "ann")


async def test_a_server_closes_the_month_before_by_itself(api, monkeypatch):
    await charge(api, MAY, 100)
    monkeypatch.setattr(closing, "GRACE", 0)
    watching = asyncio.ensure_future(closing.watch(control(api)))

    async def closed():
        return bool(await months(api))

    while not await closed():
        pass
    watching.cancel()
    bills = (await api.done("GET", HISTORY))["invoices"]
    assert bills[0]["created_by"] == "automatic close"
    await until(watching.done)


class Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.said = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.said.append(data)


async def test_documents_say_the_same_and_hostile_names_are_shown_not_run(api):
    await charge(api, MAY, 100.5, provider="openai", model=HOSTILE)
    await charge(api, MAY, 0.000_001, provider="openai", model="=1+1")
    (row,) = await close(control(api), MAY, "ann")
    answers = {kind: await fetch(api, f"{row.id}.{kind}") for kind in ("html", "csv", "pdf")}
    assert {kind: answer.status_code for kind, answer in answers.items()} == dict.fromkeys(answers, 200)
    page = Texts()
    page.feed(answers["html"].text)
    assert "script" not in page.tags
    assert f"openai {HOSTILE}" in page.said
    assert "Gate <Ltd>" in page.said
    assert {"1.01", "0.19", "1.20"} <= set(page.said)
    assert answers["html"].headers["content-security-policy"].startswith("default-src 'none'")
    lines = list(csv.DictReader(io.StringIO(answers["csv"].text)))
    assert [line["model"] for line in lines] == [HOSTILE, "'=1+1", "VAT"]
    assert [line["amount"] for line in lines] == ["1.005", "0.00000001", "0.19"]
    assert sum(round(float(line["billed"]) * 100) for line in lines) == row.total == 120
    assert answers["pdf"].content.startswith(b"%PDF-")
    assert answers["pdf"].headers["content-type"] == "application/pdf"
    bills = (await api.done("GET", HISTORY))["invoices"]
    assert bills[0]["invoice_pdf"].endswith(f"/ai-gateway/billing/invoices/{row.id}.pdf")


async def test_a_topup_has_a_receipt(api):
    await paid(api, 1000)
    (bill,) = (await api.done("GET", HISTORY))["invoices"]
    page = (await fetch(api, f"{bill['id']}.html")).text
    assert "Receipt" in page
    assert "10.00" in page


async def test_a_document_is_for_its_account_alone(api):
    await charge(api, MAY, 100)
    (row,) = await close(control(api), MAY, "ann")
    assert (await fetch(api, f"{row.id}.html", CUSTOMER)).status_code == 200
    for secret, status in ((LIMITED, 403), (FOREIGN, 404), ("unknown-token-of-nobody", 401)):
        assert (await fetch(api, f"{row.id}.html", secret)).status_code == status
    for name in ("in_0.html", f"{row.id}.exe", row.id, "x.pdf"):
        assert (await fetch(api, name)).status_code == 404
    other = f"/client/v4/accounts/{'f' * 32}/ai-gateway/billing/invoices/{row.id}.html"
    assert (await api.client.get(other, headers={"authorization": f"Bearer {FOREIGN}"})).status_code == 404


async def test_without_the_library_it_says_how_to_install_it(api, monkeypatch):
    await charge(api, MAY, 100)
    (row,) = await close(control(api), MAY, "ann")
    monkeypatch.setattr(documents, "find_spec", lambda name: None)
    answer = await fetch(api, f"{row.id}.pdf")
    assert answer.status_code == 409
    assert "install penstock[pdf]" in answer.json()["errors"][0]["message"]


async def test_a_long_invoice_has_more_pages(api):
    for number in range(70):
        await charge(api, MAY, 1, model=f"model-{number}-" + "x" * 60)
    (row,) = await close(control(api), MAY, "ann")
    assert (await fetch(api, f"{row.id}.pdf")).content.count(b"/Type /Page\n") >= 3
