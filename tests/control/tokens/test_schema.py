import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.control.tokens import schema
from penstock.core.errors import Invalid
from penstock.model.token import SCOPES, Token

wishes = st.fixed_dictionaries(
    {
        "name": st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=120),
        "scopes": st.lists(st.sampled_from(SCOPES), min_size=1, unique=True),
    },
    optional={
        "email": st.none() | st.from_regex(r"[!-?A-~]{1,64}@[!-?A-~]{1,255}", fullmatch=True),
        "gateways": st.none() | st.lists(st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True), min_size=1, unique=True),
        "expires_on": st.none() | st.datetimes().map(lambda moment: moment.isoformat()),
    },
)


@given(wishes)
def test_what_is_allowed_is_accepted_and_shown_again(fields):
    wish = schema.wish(**fields)
    token = Token("id", "account", b"hash", wish.name, wish.scopes, 0, wish.email, wish.gateways, wish.expires_at)
    shown = schema.traits(token)
    assert shown["name"] == fields["name"]
    assert sorted(shown["scopes"]) == sorted(fields["scopes"])
    assert shown["email"] == fields.get("email")
    given_gateways = fields.get("gateways")
    assert shown["gateways"] == (None if given_gateways is None else sorted(given_gateways))
    assert (shown["expires_on"] is None) == (fields.get("expires_on") is None)
    assert schema.wish(**shown) == wish
    schema.TokenShown.model_validate(schema.shown(token, 0))
    schema.Verified.model_validate(schema.verified(token, 0))


@pytest.mark.parametrize("name", ["expires", "hash", "id"])
def test_a_field_that_is_none_is_named(name: str):
    with pytest.raises(Invalid) as refused:
        schema.wish(name="x", scopes=[SCOPES[0]], **{name: "x"})
    assert refused.value.path == (name,)
