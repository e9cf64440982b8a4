"""Which ends of a step lead on to the next one."""

import pytest

from penstock.core import errors
from penstock.model.failure import leads_on
from penstock.model.reply import Body, Reply

LEAD_ON = {
    "AccountRefused",
    "AddressRefused",
    "AllStepsFailed",
    "InvalidPath",
    "InvalidProvider",
    "KeyLimited",
    "ModelNotAllowed",
    "SpendLimited",
    "OutOfCredit",
    "MalformedChat",
    "NoCredential",
    "ProviderBroke",
    "ProviderFailure",
    "ProviderTimeout",
    "ProviderUnreachable",
    "RouteFailed",
}


@pytest.mark.parametrize(
    ("status", "leads"),
    [
        (200, False),
        (204, False),
        (302, False),
        (304, False),
        (399, False),
        *[(s, True) for s in (400, 401, 429, 500, 529)],
    ],
)
def test_an_answer_leads_on_where_its_status_is_an_error(status, leads):
    assert leads_on(Reply(status, b"", [], Body())) is leads


def every_error(base: type[errors.PenstockError] = errors.PenstockError):
    for kind in base.__subclasses__():
        yield kind
        yield from every_error(kind)


ERRORS = {kind.__name__: kind for kind in every_error()}


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_of_ours_leads_on_where_it_concerns_that_step_alone(name):
    assert leads_on(ERRORS[name]("why")) is (name in LEAD_ON)
