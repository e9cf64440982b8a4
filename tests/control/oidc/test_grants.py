"""Who gets which rights, by what is said of them."""

import pytest

from penstock.control.oidc.grants import Rights, check, granted
from penstock.core.settings_sections import OidcGrant
from penstock.model.token import Scope

READ = Rights(frozenset({Scope.READ}), None)


def grant(claim, value):
    return [OidcGrant(claim, value, ("read",), None)]


@pytest.mark.parametrize(
    ("claim", "value", "claims", "matches"),
    [
        ("groups", "ops", {"groups": ["dev", "ops"]}, True),
        ("groups", "ops", {"groups": "ops"}, True),
        ("groups", "ops", {"groups": ["Ops", "ops2", "oops"]}, False),
        ("groups", "ops", {"groups": {"ops": True}}, False),
        ("groups", "ops", {"groups": [["ops"], {"ops": 1}, None]}, False),
        ("groups", "*", {"groups": ["dev"]}, True),
        ("groups", "*", {"groups": []}, False),
        ("groups", "*", {"groups": None}, False),
        ("groups", "*", {"groups": ""}, False),
        ("groups", "*", {"groups": {}}, False),
        ("groups", "*", {}, False),
        ("groups", "o*", {"groups": ["ops"]}, False),
        ("level", "7", {"level": 7}, True),
        ("admin", "true", {"admin": True}, True),
        ("admin", "*", {"admin": False}, False),
        ("https://example.com/roles", "ops", {"https://example.com/roles": ["ops"]}, True),
        ("email", "mia@example.org", {"email": "mia@example.org", "email_verified": True}, True),
        ("email", "mia@example.org", {"email": "mia@example.org"}, False),
        ("email", "*", {"email": "mia@example.org", "email_verified": False}, False),
    ],
)
def test_a_grant_matches_what_is_said(claim, value, claims, matches):
    assert granted(grant(claim, value), claims) == (READ if matches else None)


def test_the_first_that_matches_holds_and_nothing_is_added_up():
    grants = [
        OidcGrant("groups", "dev", ("run", "AI Gateway Write"), ("test",)),
        OidcGrant("groups", "ops", ("read", "METADATA"), None),
        OidcGrant("sub", "*", ("metadata",), ("main", "test")),
    ]
    for groups, rights in (
        (["ops", "dev"], Rights(frozenset({Scope.RUN, Scope.WRITE}), frozenset({"test"}))),
        (["ops"], Rights(frozenset({Scope.READ, Scope.METADATA}), None)),
        ([], Rights(frozenset({Scope.METADATA}), frozenset({"main", "test"}))),
    ):
        assert granted(grants, {"sub": "mia", "groups": groups}) == rights


def test_a_permission_that_there_is_not_is_refused():
    check(grant("sub", "*"))
    with pytest.raises(ValueError, match=r"no permission 'reed'; there are: read \(AI Gateway Read\), metadata"):
        check([OidcGrant("sub", "*", ("run", "reed"), None)])
