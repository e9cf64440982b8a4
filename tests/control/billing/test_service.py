import pytest

from penstock.control.billing import service
from penstock.control.context import Context
from penstock.core import ids
from penstock.core.errors import Invalid, NotPermitted
from penstock.gateway.compile import compile_gateway
from penstock.model.token import Token
from penstock.storage import audit as trail
from penstock.storage import ledger
from penstock.storage.engine import within
from tests.kit.client import until
from tests.kit.house import House, house
from tests.kit.store import ACCOUNT, a_token


def context(made: House, actor: Token | str = "mia") -> Context:
    return Context(made.server.app.control, ACCOUNT, actor)


async def books(made: House) -> dict[str, int]:
    async with made.server.app.control.database.reading() as connection:
        return await within(connection, lambda sql: ledger.balances(sql, ACCOUNT))


async def test_credit_is_granted_and_taken_back_with_a_trace():
    async with house() as made:
        given = await service.credit(context(made), 5 * 10**9, " welcome ")
        await service.credit(context(made), -(10**9), "a slip")
        await service.credit(context(made), 1, "a correction", adjustment=True)
        found = await books(made)
        assert (found["credit"], found["grants"], found["adjustments"]) == (4 * 10**9 + 1, -5 * 10**9, 10**9 - 1)
        async with made.server.app.control.database.reading() as connection:
            rows, total = await trail.page(connection, ACCOUNT, 1, 2)
        assert (total, rows[0].action, rows[0].subject) == (3, "credit.grant", ids.text(given.id))
        assert (rows[0].actor_name, rows[0].after) == ("mia", {"amount": 5.0, "note": "welcome"})


@pytest.mark.parametrize(
    ("amount", "note"), [(0, "n"), (10**18 + 1, "n"), (-(10**18) - 1, "n"), (1, "  "), (1, "n" * 1001)]
)
async def test_what_is_no_amount_or_has_no_reason_is_refused(amount, note):
    async with house() as made:
        with pytest.raises(Invalid):
            await service.credit(context(made), amount, note)
        assert (await books(made))["credit"] == 0


async def test_a_token_for_some_gateways_has_no_say():
    async with house() as made:
        limited = a_token("limited", gateways=frozenset({"default"}))
        with pytest.raises(NotPermitted):
            await service.credit(context(made, limited), 1, "n")


@pytest.mark.parametrize(("mode", "known"), [("prepaid", 7 * 10**9), ("postpaid", None)])
async def test_gateways_know_at_once_what_a_prepaid_account_was_ever_given(mode, known):
    seen = []

    def noting(config, parts):
        seen.append(config.credit)
        return compile_gateway(config, parts)

    async with house(billing_mode=mode) as made:
        assert made.server.app.publisher is not None
        made.server.app.publisher._compile = noting
        await service.credit(context(made), 9 * 10**9, "n")
        await service.credit(context(made), -2 * 10**9, "n")
        await until(lambda: seen and seen[-1] == known)
