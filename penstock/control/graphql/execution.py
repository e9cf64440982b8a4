"""The schema of the GraphQL endpoint, and how a query is run: bounded before anything is asked.

Importing graphql-core takes 0.2 s: only the first query does so.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    parse,
    validate,
)
from graphql import execute as _execute  # pyright: ignore[reportUnknownVariableType]  partly untyped

from penstock.control.context import Context
from penstock.control.graphql import datasets
from penstock.control.graphql.datasets import DATASETS, OF_ROWS, SIZES, Asked, Dataset
from penstock.control.graphql.filtering import PLACES, TIME_SUFFIXES, TIMES, Refused
from penstock.control.graphql.variables import declared
from penstock.control.logs.service import settled
from penstock.core import instants
from penstock.core.codec import decode
from penstock.core.logs import log
from penstock.storage.errors import TooSlow

TOKENS = 2_000  # of a query
ASKED = 10  # datasets of one query
_ERRORS = 10  # that one answer tells
_MINUTE = 60_000  # milliseconds


async def run(context: Context, query: str, variables: Mapping[str, Any] | None, name: str | None) -> dict[str, Any]:
    """``data`` and ``errors``, as GraphQL has them."""
    schema = made()
    try:
        document = declared(schema, parse(query, max_tokens=TOKENS))
        if errors := validate(schema, document, max_errors=_ERRORS) or _bounded(document):
            return _failed(errors)
    except GraphQLError as error:
        return _failed([error])
    result = _execute(
        schema, document, {"viewer": {}}, context, variable_values=dict(variables or {}), operation_name=name
    )
    done = result if isinstance(result, ExecutionResult) else await result
    told: dict[str, Any] = {"data": done.data, "errors": None}
    if done.errors:
        told["errors"] = [_told(error).formatted for error in done.errors[:_ERRORS]]
    return told


def _told(error: GraphQLError) -> GraphQLError:
    """The error as clients may read it: a fault of ours goes into the log."""
    fault = error.original_error
    if fault is None or isinstance(fault, GraphQLError):
        return error
    log.error("a GraphQL query failed", exc_info=fault)
    return GraphQLError("Internal error", error.nodes, path=error.path)


def _failed(errors: list[GraphQLError]) -> dict[str, Any]:
    return {"data": None, "errors": [error.formatted for error in errors]}


def _bounded(document: DocumentNode) -> list[GraphQLError]:
    """What is wrong with a valid query that asks too much. The schema itself bounds how deep one can be."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            asked = _datasets(definition.selection_set, fragments, {})
            if asked > ASKED:
                return [GraphQLError(f"The query asks for {asked} datasets; at most {ASKED}.")]
    return []


def _datasets(
    selections: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, int]
) -> int:
    """How many are asked for. Fragments are counted once; valid ones are in no circle."""
    asked = 0
    for node in selections.selections if selections else ():
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in known:
                known[name] = _datasets(fragments[name].selection_set, fragments, known)
            asked += known[name]
        elif isinstance(node, InlineFragmentNode):
            asked += _datasets(node.selection_set, fragments, known)
        elif isinstance(node, FieldNode):
            asked += _datasets(node.selection_set, fragments, known) + (node.name.value in {*DATASETS, SIZES})
    return asked


@cache
def made() -> GraphQLSchema:
    """The schema with its resolvers."""
    schema = build_schema(definition())
    viewer, account = cast("Any", schema.type_map["Viewer"]), cast("Any", schema.type_map["Account"])
    viewer.fields["accounts"].resolve = _accounts
    for name, dataset in DATASETS.items():
        account.fields[name].resolve = _resolver(dataset)
    account.fields[SIZES].resolve = _sizes
    return schema


def definition() -> str:
    """The schema in its own language."""
    parts = [
        "scalar Time",
        "scalar Date",
        "scalar uint64",
        "type Query { viewer: Viewer! }",
        "type Viewer { accounts(filter: AccountFilter!): [Account!]! }",
        "input AccountFilter { accountTag: String! }",
    ]
    fields = list[str]()
    for name, dataset in DATASETS.items():
        kind = name[0].upper() + name[1:]
        parts += _kinds(kind, dataset)
        fields.append(f"{name}(limit: Int! = 1000, filter: {kind}Filter, orderBy: [{kind}OrderBy!]): [{kind}!]!")
    parts += [
        "type Sizes { max: SizesMax! dimensions: SizesDimensions! }",
        "type SizesMax { rows: uint64! }",
        "type SizesDimensions { gateway: String! logManagement: Int logManagementStrategy: String }",
        "input SizesFilter { gateway: String gateway_in: [String!] }",
    ]
    fields.append(f"{SIZES}(limit: Int! = 1000, filter: SizesFilter): [Sizes!]!")
    return "\n".join([*parts, f"type Account {{ {' '.join(fields)} }}"])


def _kinds(kind: str, dataset: Dataset) -> list[str]:
    times = {name: "Date" if name == "date" else "Time" for name in TIMES}
    places = {name: PLACES[name][1] for name in dataset.places}
    more = {name: OF_ROWS[name] for name in dataset.rows}
    if dataset.status:
        more |= {"operation": "String", "status": "String"}
    shown = " ".join(f"{name}: {of}" for name, of in {**times, **places, **more}.items())
    filters = [f"{name}{suffix}: {of}" for name, of in times.items() for suffix in TIME_SUFFIXES]
    filters += [f"{n}{s}: {of}" for n, of in places.items() for s in ("", "_geq", "_leq", "_gt", "_lt", "_neq")]
    filters += [f"{name}_{suffix}: [{of}!]" for name, of in places.items() for suffix in ("in", "notin")]
    filters += [f"{name}_like: String" for name, of in places.items() if of == "String"]
    filters += [f"{name}: [{kind}Filter!]" for name in ("AND", "OR")]
    orders = " ".join(f"{name}_{way}" for name in datasets.orders(dataset) for way in ("ASC", "DESC"))
    sums = " ".join(f"{name}: {'Float' if name == 'cost' else 'uint64'}!" for name in dataset.sums)
    return [
        f"type {kind} {{ count: uint64! dimensions: {kind}Dimensions! {f'sum: {kind}Sum!' if sums else ''} }}",
        f"type {kind}Dimensions {{ {shown} }}",
        *([f"type {kind}Sum {{ {sums} }}"] if sums else []),
        f"input {kind}Filter {{ {' '.join(filters)} }}",
        f"enum {kind}OrderBy {{ {orders} }}",
    ]


def _accounts(_: object, info: GraphQLResolveInfo[Context], filter: dict[str, str]) -> list[dict[str, Any]]:  # noqa: A002  its name
    context = info.context
    if filter["accountTag"].lower() != context.account:
        raise GraphQLError("accounts: the token does not open this account.")
    return [{}]


def _resolver(dataset: Dataset) -> Any:
    async def resolve(
        _: object,
        info: GraphQLResolveInfo[Context],
        limit: int,
        filter: dict[str, Any] | None = None,  # noqa: A002
        orderBy: list[str] | None = None,  # noqa: N803
    ) -> list[dict[str, Any]]:
        context = info.context
        given = Asked(limit, filter or {}, orderBy or (), _dimensions(info))
        try:
            now = instants.now() // _MINUTE
            asked = datasets.question(dataset, given, context.account, context.limited_to, now)
            await settled(context.control)
            points, names = await context.control.logs.rolled(asked)
            return datasets.fields(dataset, asked, points, names, given)
        except Refused as error:
            raise GraphQLError(str(error)) from None
        except TooSlow:
            raise GraphQLError("there is too much to add up: narrow the filter") from None

    return resolve


def _dimensions(info: GraphQLResolveInfo[Context]) -> frozenset[str]:
    """The dimensions that are selected of the field that is being resolved."""
    found = set[str]()
    waiting: list[tuple[SelectionSetNode | None, bool]] = [(node.selection_set, False) for node in info.field_nodes]
    while waiting:
        selections, within = waiting.pop()
        for node in selections.selections if selections else ():
            if isinstance(node, FragmentSpreadNode):
                waiting.append((info.fragments[node.name.value].selection_set, within))
            elif isinstance(node, InlineFragmentNode):
                waiting.append((node.selection_set, within))
            elif isinstance(node, FieldNode):
                if within:
                    found.add(node.name.value)
                elif node.name.value == "dimensions":
                    waiting.append((node.selection_set, True))
    return frozenset(found - {"__typename"})


async def _sizes(
    _: object,
    info: GraphQLResolveInfo[Context],
    limit: int,
    filter: dict[str, Any] | None = None,  # noqa: A002
) -> list[dict[str, Any]]:
    context = info.context
    of, given = context.limited_to, filter or {}
    wanted = [set(given[name] if name == "gateway_in" else [given[name]]) for name in given if given[name] is not None]
    for names in wanted:
        of = frozenset(names) if of is None else of & names
    told = list[dict[str, Any]]()
    for gateway, settings, rows in (await context.control.logs.sizes(context.account, of))[: max(0, limit)]:
        kept = decode(settings)
        dimensions = {
            "gateway": gateway,
            "logManagement": kept.get("log_management"),
            "logManagementStrategy": kept.get("log_management_strategy"),
        }
        told.append({"max": {"rows": rows}, "dimensions": dimensions})
    return told
