"""The law of tokens: whatever a caller makes is never stronger than itself."""

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from penstock.control.context import Context
from penstock.control.tokens import service
from penstock.control.tokens.schema import Wish
from penstock.core.errors import NotPermitted
from penstock.model.limits import RateLimit
from penstock.model.token import SCOPES, Token

NOTHING: Any = None  # what is judged before anything is written
GATEWAYS = ("alpha", "beta", "gamma")
scopes = st.frozensets(st.sampled_from(SCOPES), min_size=1)
gateways = st.none() | st.frozensets(st.sampled_from(GATEWAYS), min_size=1)
instants = st.none() | st.integers(1, 20)
callers = st.builds(
    Token,
    id=st.just("caller"),
    account=st.just("account"),
    hash=st.just(b""),
    name=st.just("caller"),
    scopes=scopes,
    created_at=st.just(0),
    gateways=gateways,
    expires_at=instants,
    rate_limit=st.none() | st.just(RateLimit(60, 1, "fixed")),
)
wishes = st.builds(Wish, name=st.just("new"), scopes=scopes, gateways=gateways, expires_at=instants)


def made_by(actor: Token | str) -> Context:
    return Context(NOTHING, "account", actor)


def can(token: Token | Wish) -> set[tuple[str, str, int]]:
    """All that it may do: which scope, at which gateway, at which moment."""
    return {
        (scope, gateway, moment)
        for scope in token.scopes
        for gateway in ("", *GATEWAYS)  # "": what belongs to no gateway
        for moment in range(25)
        if token.gateways is None or gateway in token.gateways
        if token.expires_at is None or moment < token.expires_at
    }


@given(callers, wishes)
def test_whatever_is_made_is_never_stronger_than_its_maker(caller: Token, wish: Wish):
    try:
        service.permit(made_by(caller), wish)
    except NotPermitted:
        event("refused")
        assert caller.gateways is not None or caller.is_bound() or not can(wish) <= can(caller)
    else:
        event("permitted")
        assert not caller.is_bound()
        assert can(wish) <= can(caller)


@given(callers)
def test_the_same_again_may_be_made_by_who_is_not_limited(caller: Token):
    wish = Wish("again", caller.scopes, gateways=caller.gateways, expires_at=caller.expires_at)
    if caller.gateways is None and not caller.is_bound():
        service.permit(made_by(caller), wish)
    else:
        with pytest.raises(NotPermitted):
            service.permit(made_by(caller), wish)


def test_the_command_line_may_do_anything():
    service.permit(made_by("mia"), Wish("new", frozenset(SCOPES)))
