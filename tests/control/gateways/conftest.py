"""A control plane of gateways alone on a real database, and bodies right and wrong, made from the JSON schema."""

import asyncio
import ipaddress
import json
import re
from contextlib import closing
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError
from hypothesis import strategies as st

from penstock.control.context import Control
from penstock.control.gateways import routes
from penstock.control.gateways.schema import GatewayCreate
from penstock.core.addresses import Rules
from penstock.core.codec import encode
from penstock.core.errors import ControlError
from penstock.core.sealing import Vault
from penstock.core.secrets import digest
from penstock.core.telemetry import Telemetry
from penstock.features.auth import Keyring
from penstock.model.token import SCOPES, Scope, Token
from penstock.storage import accounts, audit, configuration, gateways, opening, tokens
from penstock.storage.engine import Database
from tests.kit.databases import EITHER, database_of

NOTHING: Any = None  # what gateways do not work with
ACCOUNT, OTHER = "0" * 31 + "a", "0" * 31 + "b"
NEEDED = {
    "cache_invalidate_on_update": True,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": None,
}


def a_token(secret, account=ACCOUNT, scopes=SCOPES, limited=None):
    return Token(
        digest(secret.encode()).hex()[:32], account, digest(secret.encode()), secret, frozenset(scopes), 0, "", limited
    )


TOKENS = [
    a_token("all"),
    a_token("other", OTHER),
    a_token("read", scopes=[Scope.READ]),
    a_token("run", scopes=[Scope.RUN]),
    a_token("limited", limited=frozenset({"mine", "ours"})),
]


ANYWHERE = Rules([ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")])


class World:
    """An application on a database of its own; every call returns (status, body)."""

    def __init__(self, url, loop_factory=asyncio.new_event_loop):
        self.runner = asyncio.Runner(loop_factory=loop_factory)
        self.run = self.runner.run
        self.refreshed = 0
        with closing(opening.connect(url)) as connection:
            for account in (ACCOUNT, OTHER):
                accounts.add_account(connection, account, 0)
        self.database = self.run(self._open(url))
        self.keyring = Keyring(Telemetry(), {token.hash: token for token in TOKENS})
        vault = Vault(bytes(range(32)))
        self.control = Control(self.database, self.keyring, vault, self._refresh, NOTHING, NOTHING, ANYWHERE)
        self.app = FastAPI(exception_handlers={ControlError: _refused, RequestValidationError: _invalid})
        self.app.router.routes.extend(routes.router.routes)
        self.app.state.control = self.control
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://control")

    async def _open(self, url):
        store = Database(url)
        async with store.writing() as connection:
            for token in TOKENS:
                await tokens.add(connection, token, 1)
        return store

    async def _refresh(self):
        self.refreshed += 1

    async def ask(self, method, path="", body=None, *, token="all", account=ACCOUNT):
        answer = await self.http.request(
            method,
            f"/client/v4/accounts/{account}/ai-gateway/gateways{path}",
            content=None if body is None else json.dumps(body),
            headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
        )
        return answer.status_code, answer.json()

    def call(self, *args, **kwargs):
        return self.run(self.ask(*args, **kwargs))

    def made(self, gateway_id="g", **settings):
        """Creates a gateway and returns the result."""
        status, body = self.call("POST", "", NEEDED | {"id": gateway_id} | settings)
        assert status == 200, body
        return body["result"]

    def put(self, gateway_id="g", **settings):
        status, body = self.call("PUT", f"/{gateway_id}", NEEDED | settings)
        assert status == 200, body
        return body["result"]

    def row(self, gateway_id="g"):
        async def read():
            async with self.database.reading() as connection:
                return await gateways.get(connection, ACCOUNT, gateway_id)

        return self.run(read())

    def version(self):
        async def read():
            async with self.database.reading() as connection:
                return await configuration.version(connection)

        return self.run(read())

    def audited(self):
        async def read():
            async with self.database.reading() as connection:
                rows, _ = await audit.page(connection, ACCOUNT, 1000, 0)
                return rows[::-1]

        return self.run(read())

    def close(self):
        self.run(self.http.aclose())
        self.run(self.database.close())
        self.runner.close()


async def _refused(_, error):
    return _answer(error.status, [{"code": error.code, "message": error.message, "path": list(error.path)}])


async def _invalid(_, error):
    return _answer(400, [{"code": 7001, "message": e["msg"], "path": list(e["loc"])} for e in error.errors()])


def _answer(status, errors):
    return Response(encode({"success": False, "errors": errors, "messages": [], "result": None}), status)


@pytest.fixture(params=EITHER)
def world(request, tmp_path):
    with database_of(request.param, tmp_path) as url:
        made = World(url)
        yield made
        made.close()


@pytest.fixture(scope="module", params=EITHER)
def lasting_world(request, tmp_path_factory):
    """For many examples; each uses an id of its own."""
    with database_of(request.param, tmp_path_factory.mktemp("lasting")) as url:
        made = World(url)
        yield made
        made.close()


# Bodies, right and wrong

_CHARACTERS = st.characters(exclude_categories=["Cs"])


class Shape:
    """A JSON schema that makes what it allows (``valid``), and breaks what it made (``broken``)."""

    def __init__(self, schema):
        self.defs = schema.get("$defs", {})
        self.schema = schema

    def resolve(self, schema):
        return self.defs[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def valid(self, schema=None):
        schema = self.resolve(self.schema if schema is None else schema)
        if "anyOf" in schema:
            return st.one_of(*map(self.valid, schema["anyOf"]))
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        return getattr(self, "_" + schema["type"])(schema)

    def _null(self, schema):
        return st.none()

    def _boolean(self, schema):
        return st.booleans()

    def _integer(self, schema):
        return st.integers(schema["minimum"], schema["maximum"])

    def _number(self, schema):
        low, high = schema["exclusiveMinimum"], schema["maximum"]
        return st.floats(low, high, exclude_min=True) | st.integers(low + 1, high)

    def _string(self, schema):
        least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
        if "pattern" not in schema:
            return st.text(_CHARACTERS, min_size=least, max_size=most)
        pattern = schema["pattern"][1:-1]
        letters = re.fullmatch(r"(\[(?:[^]\\]|\\.)*\])[*+]", pattern)
        if letters:
            one = st.from_regex(letters[1], fullmatch=True, alphabet=_CHARACTERS)
            return st.text(one, min_size=max(least, pattern[-1] == "+"), max_size=max(least, min(most, 40)))
        return st.from_regex(pattern, fullmatch=True, alphabet=_CHARACTERS).filter(lambda s: least <= len(s) <= most)

    def _array(self, schema):
        return st.lists(self.valid(schema["items"]), max_size=min(3, schema["maxItems"]))

    def _object(self, schema):
        if "properties" not in schema:
            ((pattern, values),) = schema["patternProperties"].items()
            names = self._string({"pattern": pattern} | schema["propertyNames"])
            return st.dictionaries(names, self.valid(values), max_size=3)
        parts = {name: self.valid(part) for name, part in schema["properties"].items()}
        needed = {name: parts.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(needed, optional=parts)

    # One fault somewhere

    def broken(self, draw, value, schema=None, nullable=False):
        """(the value with one fault, the path where it must be found)"""
        schema = self.resolve(self.schema if schema is None else schema)
        if "anyOf" in schema:
            kinds = [self.resolve(kind) for kind in schema["anyOf"]]
            objects = [kind for kind in kinds if kind.get("type") == "object" and "properties" in kind]
            nullable = {"type": "null"} in kinds
            fitting = [k for k in objects if isinstance(value, dict) and value.keys() <= k["properties"].keys()]
            (schema, *_) = fitting or [kind for kind in kinds if kind != {"type": "null"}]
            if value is None:
                return draw(st.sampled_from(self._faults(schema, nullable))), ()
        inside = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
        if inside and draw(st.integers(0, 3)):
            return self._broken_inside(draw, value, schema, draw(st.sampled_from(inside)))
        if "properties" in schema and draw(st.booleans()):
            return self._other_members(draw, value, schema)
        if schema.get("type") == "array" and value and draw(st.booleans()):
            return [value[0]] * (schema["maxItems"] + 1), ()
        return draw(st.sampled_from(self._faults(schema, nullable))), ()

    def _broken_inside(self, draw, value, schema, key):
        if isinstance(value, list):
            part = schema["items"]
        elif "properties" in schema:
            part = schema["properties"][key]
        else:
            (part,) = schema["patternProperties"].values()
        broken, path = self.broken(draw, value[key], part)
        changed = list(value) if isinstance(value, list) else dict(value)
        changed[key] = broken
        return changed, (key, *path)

    def _other_members(self, draw, value, schema):
        needed = schema.get("required", ())
        if needed and draw(st.booleans()):
            gone = draw(st.sampled_from(needed))
            return {name: part for name, part in value.items() if name != gone}, (gone,)
        added = draw(st.text("abcdefghij_", min_size=1).filter(lambda name: name not in schema["properties"]))
        return value | {added: draw(st.sampled_from([None, 1, "x", {}]))}, (added,)

    def _faults(self, schema, nullable):
        """Values that are wrong for the schema."""
        kinds = {
            "null": [None],
            "boolean": [True],
            "integer": [1],
            "number": [0.5],
            "string": ["\x00~"],
            "array": [[]],
            "object": [{}],
        }
        allowed = {schema.get("type")} | ({"null"} if nullable else set())
        if "number" in allowed:
            allowed.add("integer")
        if "properties" in schema and not schema.get("required"):
            allowed.add("object")
        wrong = [v for kind, values in kinds.items() if kind not in allowed for v in values]
        if "minimum" in schema:
            wrong += [schema["minimum"] - 1, schema["maximum"] + 1, schema["minimum"] + 0.5, str(schema["minimum"])]
        if "exclusiveMinimum" in schema:
            wrong += [schema["exclusiveMinimum"], -0.5, schema["maximum"] * 1.01, float("inf"), float("nan"), 10**400]
        if "maxLength" in schema:
            wrong += ["a" * (schema["maxLength"] + 1)]
        if schema.get("minLength") or "pattern" in schema:
            wrong += ["\x00", "a\x00", "\ud800"] + ([""] if schema.get("minLength") else [])
        if "enum" in schema or "const" in schema:
            wrong += ["", "flag", "block ", "Fixed"]
        return wrong


@pytest.fixture(scope="session")
def bodies():
    """The shape of a new gateway."""
    return Shape(GatewayCreate.model_json_schema())
