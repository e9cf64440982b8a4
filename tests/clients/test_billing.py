"""The money of an account, asked for with the official ``cloudflare`` SDK."""

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as the SDK says of billing


def test_the_balance_and_the_usage_of_an_account(house, sdk):
    billing = sdk.ai_gateway.billing
    balance = billing.credit_balance(account_id=house.account)
    assert (balance.balance, balance.has_default_payment_method, balance.payment_method) == (0, False, None)
    assert (balance.topup_config.amount, balance.first_topup_success) == (None, False)
    history = billing.usage_history(
        account_id=house.account, value_grouping_window="hour", start_time=0, end_time=2 * 3600 * 1000
    ).history
    assert [(one.aggregated_value, one.start_time, one.end_time) for one in history] == [
        (0, 0, 3600_000),
        (0, 3600_000, 7200_000),
    ]
    assert len(billing.usage_history(account_id=house.account, value_grouping_window="day").history) == 31
