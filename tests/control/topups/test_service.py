"""Top-ups by the API, as its SDK asks for them."""

import cloudflare
import pytest

from penstock.control.topups import service
from tests.control.topups.conftest import CUSTOMER, FOREIGN, LIMITED, paying
from tests.kit.house import request
from tests.kit.store import ACCOUNT, SECRET
from tests.kit.stripe import DECLINED, KEY, VISA, WEBHOOK_SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOPUP, STATUS, CONFIG, TOPUPS = "/billing/topup", "/billing/topup/status", "/billing/topup/config", "/billing/topups"


async def test_the_sdk_drives_every_call(api):
    async with api.sdk() as client:
        billing = client.ai_gateway.billing
        made = await billing.topup.create(account_id=ACCOUNT, amount=5000)
        assert made.client_secret == api.stripe.intents[made.payment_intent_id]["client_secret"]
        assert (made.onboarding, made.brand) == (False, None)
        asked = {"account_id": ACCOUNT, "payment_intent_id": made.payment_intent_id}
        assert (await billing.topup.status(**asked)).status == "pending"
        api.stripe.pay(made.payment_intent_id)
        assert (await billing.topup.status(**asked)).status == "completed"  # its webhook has not come
        assert await api.credit() == 5000
        again = await billing.topup.create(account_id=ACCOUNT, amount=1000)
        assert (again.onboarding, again.brand, again.last4) == (True, "visa", "4242")
        assert await api.credit() == 6000  # the saved card was charged at once
        config = await billing.topup.config.create(account_id=ACCOUNT, amount=2000, threshold=500)
        assert (config.amount, config.threshold) == (2000, 500)
        got = await billing.topup.config.get(account_id=ACCOUNT)
        assert (got.amount, got.threshold, got.disabled_reason, got.error) == (2000, 500, None, None)
        assert await billing.topup.config.delete(account_id=ACCOUNT) == {}
        assert (await billing.topup.config.get(account_id=ACCOUNT)).amount is None
        with pytest.raises(cloudflare.NotFoundError):
            await billing.topup.status(account_id=ACCOUNT, payment_intent_id="pi_unknown")


async def test_amounts_below_the_minimum_name_the_field_and_the_minimum(api):
    for path, body, field, least in (
        (TOPUP, {"amount": 999}, "amount", 1000),
        (CONFIG, {"amount": 999, "threshold": 500}, "amount", 1000),
        (CONFIG, {"amount": 1000, "threshold": 499}, "threshold", 500),
    ):
        status, answer = await api.ask("POST", path, body)
        (error,) = answer["errors"]
        assert (status, error["code"], error["path"]) == (400, 7001, ["body", field])
        assert error["message"].startswith(f"{field}: ")
        assert str(least) in error["message"]


async def test_a_declined_card_fails_the_topup_and_says_why(api):
    await api.saved()
    status, answer = await api.ask("POST", TOPUP, {"amount": 1000, "payment_method_id": DECLINED})
    assert (status, answer["errors"][0]["code"]) == (402, 7010)
    assert answer["errors"][0]["message"] == "The payment was refused: Your card was declined."
    row = (await api.topups())[0]
    assert (row["state"], row["reason"]) == ("failed", "Your card was declined.")
    assert await api.refused("POST", STATUS, {"payment_intent_id": row["id"]}) == (409, 7009, [])
    assert await api.credit() == 1000


async def test_another_means_pays_in_place_of_the_saved_one(api):
    await api.saved()
    made = await api.done("POST", TOPUP, {"amount": 1000, "payment_method_id": "pm_card_amex"})
    assert (made["brand"], made["last4"], made["onboarding"]) == ("amex", "8431", True)
    path = ["body", "payment_method_id"]
    assert await api.refused("POST", TOPUP, {"amount": 1000, "payment_method_id": "pm_x"}) == (400, 7001, path)
    assert api.stripe.charged == [1000, 1000]


async def test_each_account_is_one_customer_and_each_write_carries_a_key(api):
    await api.saved()
    await api.topup()
    assert len(api.stripe.customers) == 1
    writes = [path for method, path, _ in api.stripe.asked if method == "POST"]
    assert len(api.stripe.keys) == len(writes) == 3


async def test_while_stripe_is_away_nothing_is_lost(api):
    api.stripe.down = True
    for _ in range(2):
        status, answer = await api.ask("POST", TOPUP, {"amount": 1000})
        assert (status, answer["errors"][0]["code"]) == (503, 7011)
    (row,) = await api.topups()
    assert await api.status(row["id"]) == "pending"
    api.stripe.down = False
    name = await api.topup()
    assert [one["payment_intent_id"] for one in await api.topups()] == [name]


async def test_no_secret_is_told_or_logged(api, caplog):
    api.stripe.down = True
    _, answer = await api.ask("POST", TOPUP, {"amount": 1000})
    told = str(answer) + caplog.text + repr(api.house.server.app.settings)
    assert KEY not in told
    assert WEBHOOK_SECRET not in told
    assert "Stripe could not be asked: APIError 500" in caplog.text


async def test_one_that_waits_can_be_canceled_and_one_that_is_paid_cannot(api):
    name = await api.topup()
    gone = await api.done("POST", f"{TOPUPS}/{name}/cancel")
    assert (gone["state"], api.stripe.intents[name]["status"]) == ("canceled", "canceled")
    assert await api.done("POST", f"{TOPUPS}/{name}/cancel") == gone
    assert await api.refused("POST", STATUS, {"payment_intent_id": name}) == (409, 7009, [])
    other = await api.topup()
    api.stripe.pay(other)
    assert await api.refused("POST", f"{TOPUPS}/{other}/cancel") == (409, 7009, [])
    assert await api.status(other) == "completed"
    assert await api.refused("POST", f"{TOPUPS}/{other}/cancel") == (409, 7009, [])
    assert await api.refused("POST", f"{TOPUPS}/{other}/paid") == (409, 7009, [])


async def test_by_hand_a_topup_waits_until_an_operator_marks_it_paid(manual):
    status, answer = await manual.ask("POST", TOPUP, {"amount": 1500})
    name = answer["result"]["payment_intent_id"]
    assert (status, answer["result"]) == (200, {"onboarding": False, "payment_intent_id": name})
    assert answer["messages"][0]["message"] == "The top-up waits until an operator marks it paid."
    assert await manual.status(name) == "pending"
    for _ in range(2):
        assert (await manual.done("POST", f"{TOPUPS}/{name}/paid"))["state"] == "completed"
    assert await manual.status(name) == "completed"
    assert await manual.credit() == 1500
    assert await manual.refused("POST", f"{TOPUPS}/{name}/cancel") == (409, 7009, [])
    path = ["body", "payment_method_id"]
    assert await manual.refused("POST", TOPUP, {"amount": 1000, "payment_method_id": VISA}) == (400, 7001, path)
    lines = (await manual.done("GET", "/audit-logs"))[:2]
    assert [line["action"] for line in lines] == ["topup.paid", "topup.create"]


async def test_only_the_operator_marks_a_topup_paid_and_another_account_sees_none(manual):
    name = await manual.topup()
    assert await manual.refused("POST", f"{TOPUPS}/{name}/paid", secret=CUSTOMER) == (403, 10000, [])
    assert await manual.refused("POST", f"{TOPUPS}/{name}/paid", secret=LIMITED) == (403, 10000, [])
    assert await manual.refused("GET", TOPUPS, secret=LIMITED) == (403, 10000, [])
    for path in (f"{TOPUPS}/{name}/paid", f"{TOPUPS}/{name}/cancel"):
        assert (await manual.refused("POST", path, secret=FOREIGN, account="f" * 32))[0] == 404
    assert await manual.credit() == 0


async def test_not_more_than_some_wait(manual, monkeypatch):
    monkeypatch.setattr(service, "MOST", 3)
    for _ in range(3):
        await manual.topup()
    assert await manual.refused("POST", TOPUP, {"amount": 1000}) == (409, 7009, [])


async def test_nothing_can_be_topped_up_automatically_before_a_card_is_saved():
    async with paying() as api:
        assert await api.refused("POST", CONFIG, {"amount": 1000, "threshold": 500}) == (409, 7009, [])


async def test_what_a_topup_brings_lets_calls_in():
    """Credit is prepaid: a call on the operator's key is refused until the top-up is paid."""
    prepaid = {"billing_mode": "prepaid", "provider_keys": {"openai": "sk-operator"}}
    async with paying(payments="manual", **prepaid) as api, api.house.client() as client:
        asked = request(headers={"cf-aig-authorization": f"Bearer {SECRET}"})
        name = await api.topup()
        assert (await client.ask(asked)).status == 402
        await api.done("POST", f"{TOPUPS}/{name}/paid")
        assert (await client.ask(asked)).status == 200
