"""Variables of queries, which those written for Cloudflare declare with types of its own (``string``) or not at all."""

from typing import Any, TypeVar

from graphql import (
    DocumentNode,
    GraphQLSchema,
    NameNode,
    Node,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse_type,
    visit,
)

_N = TypeVar("_N", bound=Node)


def declared(schema: GraphQLSchema, document: DocumentNode) -> DocumentNode:
    """The document, where it has one operation, with every variable declared as the places take it that it is in."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) != 1:
        return document
    uses = _Uses(TypeInfo(schema))
    visit(document, TypeInfoVisitor(uses.types, uses))
    given = {node.variable.name.value: node for node in operations[0].variable_definitions or ()}
    made = tuple(_declaration(name, kind, given.get(name)) for name, kind in uses.found.items())
    # Those in places that are not in the schema keep theirs: validation says what is wrong.
    kept = tuple(node for name, node in given.items() if name in uses.unknown and name not in uses.found)
    whole = _changed(operations[0], variable_definitions=kept + made)
    return _changed(document, definitions=tuple(whole if n is operations[0] else n for n in document.definitions))


class _Uses(Visitor):
    """The types of the places that variables are in, by name; one that takes no null counts before one that does."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.found: dict[str, str] = {}
        self.unknown: set[str] = set()

    def enter_variable_definition(self, *_: Any) -> Any:
        return self.SKIP

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        of: Any = self.types.get_input_type()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        name, kind = node.name.value, str(of or "")
        if not kind:
            self.unknown.add(name)
        elif kind.endswith("!") or name not in self.found:
            self.found[name] = kind


def _declaration(name: str, kind: str, given: VariableDefinitionNode | None) -> VariableDefinitionNode:
    variable = VariableNode(name=NameNode(value=name))
    default = given.default_value if given else None
    return VariableDefinitionNode(variable=variable, type=parse_type(kind), default_value=default, directives=())


def _changed(node: _N, **fields: Any) -> _N:
    return type(node)(**{key: getattr(node, key) for key in node.keys} | fields)
