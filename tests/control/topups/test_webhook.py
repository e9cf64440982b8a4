"""What Stripe tells, however often, late and out of order, credits a top-up once."""

import pytest
import pytest_asyncio

from tests.control.topups.conftest import HOOK, paying
from tests.kit.databases import KINDS, database_of
from tests.kit.stripe import VISA

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(params=KINDS, loop_scope="module")
async def api(request, tmp_path):
    """On either database, each time."""
    with database_of(request.param, tmp_path) as url:
        async with paying(database_url=url) as made:
            yield made


def results(api):
    return {labels[0]: count for labels, count in api.house.server.app.telemetry.payment_webhooks.values.items()}


async def test_a_topup_credits_once_though_its_webhook_comes_three_times(api):
    intent = api.stripe.pay(await api.topup(2500))
    assert await api.credit() == 0
    for _ in range(3):
        assert await api.tell("payment_intent.succeeded", intent) == 200
    assert await api.credit() == 2500
    assert [(row["state"], row["paid"]) for row in await api.topups()] == [("completed", 2500)]
    assert results(api) == {"applied": 3}


async def test_a_card_that_could_not_be_looked_at_is_saved_when_the_webhook_comes_again(api):
    intent = api.stripe.pay(await api.topup())
    api.stripe.down = True
    assert await api.tell("payment_intent.succeeded", intent) == 200
    assert await api.credit() == 1000
    api.stripe.down = False
    assert await api.tell("payment_intent.succeeded", intent) == 200
    assert (await api.done("POST", "/billing/topup", {"amount": 1000}))["last4"] == "4242"
    assert await api.credit() == 2000


async def test_a_failure_told_after_the_success_changes_nothing(api):
    name = await api.topup()
    failed = api.stripe.intents[name] | {"last_payment_error": {"message": "Your card was declined."}}
    intent = dict(api.stripe.pay(name))
    assert await api.tell("payment_intent.succeeded", intent) == 200
    assert await api.tell("payment_intent.payment_failed", failed) == 200
    assert await api.tell("payment_intent.canceled", failed) == 200
    assert (await api.topups())[0]["state"] == "completed"
    assert await api.credit() == 1000


async def test_a_failure_is_kept_with_its_reason_and_the_customer_may_go_on(api):
    name = await api.topup()
    failed = api.stripe.intents[name] | {"last_payment_error": {"message": "Your card was declined."}}
    assert await api.tell("payment_intent.payment_failed", failed) == 200
    (row,) = await api.topups()
    assert (row["state"], row["reason"]) == ("pending", "Your card was declined.")
    assert await api.tell("payment_intent.succeeded", api.stripe.pay(name)) == 200
    assert (await api.topups())[0]["reason"] is None
    assert await api.credit() == 1000


async def test_a_success_that_comes_before_our_own_answer_is_kept_and_trying_again_charges_nothing(api):
    """Stripe charges the card, its answer to us is lost, and its webhook is the first we hear of it."""
    await api.saved()
    api.stripe.lost = 1
    assert await api.refused("POST", "/billing/topup", {"amount": 1500}) == (503, 7011, [])
    (intent,) = [one for one in api.stripe.intents.values() if one["amount"] == 1500]
    assert await api.tell("payment_intent.succeeded", intent) == 200
    assert await api.credit() == 2500
    assert await api.topup(1500) == intent["id"]
    assert await api.credit() == 2500
    assert api.stripe.charged == [1000, 1500]
    assert await api.topup(1500) != intent["id"]
    assert await api.credit() == 4000


async def test_a_wrong_signature_is_refused_and_counted(api):
    intent = api.stripe.pay(await api.topup())
    for how in ({"secret": "whsec_other"}, {"age": 301}):
        assert await api.tell("payment_intent.succeeded", intent, **how) == 400
    assert results(api) == {"refused": 2}
    assert await api.credit() == 0


async def test_what_is_not_signed_or_too_large_is_refused(api):
    body = api.stripe.event("payment_intent.succeeded", api.stripe.pay(await api.topup()))
    signed = api.stripe.signed(body)
    for sent, headers in ((body, {}), (body + b" ", signed), (b"\xff" + body, signed)):
        answer = await api.client.post(HOOK, content=sent, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 7001)
    assert results(api) == {"refused": 3}
    large = await api.client.post(HOOK, content=b"x" * 300_000, headers=signed)
    assert large.status_code == 400
    assert await api.credit() == 0


async def test_what_concerns_no_topup_is_ignored(api):
    other = {"id": "pi_other", "metadata": {}, "amount_received": 99}
    for kind, about in (
        ("payment_intent.succeeded", other),
        ("payment_intent.succeeded", other | {"metadata": {"penstock_topup": "0" * 32}}),
        ("customer.created", {"id": "cus_1"}),
        ("charge.refunded", {"payment_intent": "pi_other", "amount_refunded": 5}),
        ("payment_intent.succeeded", {"id": 7}),
    ):
        assert await api.tell(kind, about) == 200
    assert results(api) == {"ignored": 5}
    assert await api.credit() == 0


async def test_refunds_and_disputes_take_credit_once_each(api):
    await api.saved(3000)
    (row,) = await api.topups()
    charge = {"id": "ch_1", "payment_intent": row["payment_intent_id"], "metadata": {}}
    for total in (700, 1000, 700, 1000):  # told twice, and the first one again after the second
        assert await api.tell("charge.refunded", charge | {"amount_refunded": total}) == 200
    assert await api.credit() == 2000
    assert (await api.topups())[0]["refunded"] == 1000
    dispute = {"id": "dp_1", "amount": 2000, "payment_intent": row["payment_intent_id"]}
    for kind in ("funds_withdrawn", "funds_withdrawn", "funds_reinstated", "funds_reinstated"):
        assert await api.tell(f"charge.dispute.{kind}", dispute) == 200
        assert await api.credit() == (0 if kind == "funds_withdrawn" else 2000)


async def test_a_refund_told_before_its_payment_conserves_money(api):
    name = await api.topup(2000)
    about = {"payment_intent": name, "metadata": api.stripe.intents[name]["metadata"], "amount_refunded": 500}
    assert await api.tell("charge.refunded", about) == 200
    assert await api.credit() == -500
    assert await api.tell("payment_intent.succeeded", api.stripe.pay(name, VISA)) == 200
    assert await api.credit() == 1500


async def test_without_stripe_there_is_no_such_address(manual):
    assert await manual.tell("payment_intent.succeeded", {"id": "pi_1", "metadata": {}}) == 404
