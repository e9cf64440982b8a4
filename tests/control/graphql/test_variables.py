"""Variables as queries for Cloudflare have them."""

import pytest
from graphql import parse, print_ast

from penstock.control.graphql import execution
from penstock.control.graphql.variables import declared

USED = "viewer { accounts(filter: {accountTag: $tag}) { a: aiGatewayRequestsAdaptiveGroups(%s) { count } } }"


@pytest.mark.parametrize(
    ("before", "place", "after"),
    [
        # The example of Cloudflare's documentation declares none.
        ("query", "limit: $n, filter: {datetimeHour_geq: $t}", "query ($tag: String!, $n: Int!, $t: Time)"),
        ("query Q($tag: string, $n: uint64 = 5)", "limit: $n", "query Q($tag: String!, $n: Int! = 5)"),
        ("query ($tag: String, $end: Time)", "limit: 1", "query ($tag: String!)"),
        (
            "query ($tag: string!, $f: AccountAiGatewayRequestsAdaptiveGroupsFilter_InputObject)",
            "filter: $f, orderBy: [$o]",
            "query ($tag: String!, $f: {0}Filter, $o: {0}OrderBy!)".format("AiGatewayRequestsAdaptiveGroups"),
        ),
        ("query ($tag: String!)", "filter: {model: $tag}", "query ($tag: String!)"),
        ("query ($tag: String!, $x: Int)", "nowhere: $x", "query ($x: Int, $tag: String!)"),
    ],
)
def test_they_are_of_the_type_of_their_place(before, place, after):
    made = declared(execution.made(), parse(f"{before} {{ {USED % place} }}"))
    assert " ".join(print_ast(made).replace("(\n", "(").replace("\n)", ")").split()).partition(" {")[0] == after


def test_of_several_operations_each_declares_its_own():
    document = parse("query A { __typename } query B { __typename }")
    assert declared(execution.made(), document) is document
