"""The addresses of logs on a real database, and a sink that lets a test say when rows arrive."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError

from penstock.control.context import Control
from penstock.control.logs import routes
from penstock.core import ids
from penstock.core.codec import encode
from penstock.core.errors import ControlError
from penstock.core.secrets import digest
from penstock.core.telemetry import Telemetry
from penstock.features.auth import Keyring
from penstock.model.token import SCOPES, Scope, Token
from penstock.ports.logsink import LogSink
from penstock.storage import opening
from penstock.storage.engine import Database
from penstock.storage.log.store import LogStore
from penstock.storage.log.table import LogTable
from tests.kit.databases import EITHER, database_of
from tests.kit.logsink import ACCOUNT, a_gateway

NOTHING: Any = None  # what logs do not work with
OTHER = "f" * 32


def a_token(secret, account=ACCOUNT, scopes=SCOPES, limited=None):
    return Token(secret, account, digest(secret.encode()), secret, frozenset(scopes), 0, "", limited)


TOKENS = [
    a_token("all"),
    a_token("read", scopes=[Scope.READ]),
    a_token("metadata", scopes=[Scope.METADATA]),
    a_token("run", scopes=[Scope.RUN, Scope.WRITE]),
    a_token("limited", limited=frozenset({"elsewhere"})),
    a_token("other", OTHER),
]


class Way(LogSink):
    """Rows on their way: they arrive when somebody waits for them, unless they are ``held``."""

    def __init__(self, table):
        self.table, self.waiting, self.held, self.asked = table, [], False, 0
        self.dropped_bodies = self.dropped_rows = self.written_rows = 0

    async def start(self):
        """Nothing to start."""

    async def stop(self, limit):
        """Nothing to stop."""

    def offer(self, record):
        self.waiting.append(record)

    def pending(self):
        return len(self.waiting)

    def stalled(self):
        return 0.0

    async def settled(self):
        self.asked += 1
        if self.held:
            await asyncio.Event().wait()
        self.table.write(self.waiting)
        self.waiting = []


class World:
    def __init__(self, url, seconds):
        self.connection = opening.connect(url)
        self.number = a_gateway(self.connection)
        self.others = a_gateway(self.connection, account=OTHER)
        self.elsewhere = a_gateway(self.connection, "elsewhere")
        self.table = LogTable(self.connection)
        self.sink = Way(self.table)
        self.database, self.logs = Database(url), LogStore(url, seconds=seconds)
        keyring = Keyring(Telemetry(), {token.hash: token for token in TOKENS})
        self.app = FastAPI(exception_handlers={ControlError: _refused, RequestValidationError: _invalid})
        self.app.router.routes.extend(routes.router.routes)
        self.app.state.control = Control(self.database, keyring, NOTHING, NOTHING, self.sink, self.logs)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://control")

    def write(self, *records):
        self.table.write(list(records))

    async def get(self, path="", *, token="all", account=ACCOUNT, gateway="default", headers=None, **query):
        return await self.http.get(
            f"/client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs{path}",
            params=query,
            headers={"authorization": f"Bearer {token}", **(headers or {})},
        )

    async def patch(self, record, *, token="all", account=ACCOUNT, gateway="default", **body):
        """``record``: the row, or an id."""
        log_id = record if isinstance(record, str) else ids.text(record.id)
        return await self.http.patch(
            f"/client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{log_id}",
            content=json.dumps(body),
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        )

    async def delete(self, *, token="all", account=ACCOUNT, gateway="default", **query):
        return await self.http.delete(
            f"/client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs",
            params=query,
            headers={"authorization": f"Bearer {token}"},
        )

    async def ids(self, **query):
        answer = await self.get(**query)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["result"]]

    async def refused(self, path="", **query):
        """Status, code and path of a refusal."""
        answer = await self.get(path, **query)
        (error,) = answer.json()["errors"]
        return answer.status_code, error["code"], error["path"]

    async def close(self):
        await self.http.aclose()
        await self.logs.close()
        await self.database.close()
        self.connection.close()


async def _refused(_, error):
    return _answer(error.status, [{"code": error.code, "message": error.message, "path": list(error.path)}])


async def _invalid(_, error):
    return _answer(400, [{"code": 7001, "message": e["msg"], "path": list(e["loc"])} for e in error.errors()])


def _answer(status, errors):
    return Response(
        encode({"success": False, "errors": errors, "messages": [], "result": None}),
        status,
        media_type="application/json",
    )


@pytest.fixture
def seconds():
    """That a question may take."""
    return 5.0


@pytest.fixture(params=EITHER)
async def world(request, tmp_path, seconds):
    with database_of(request.param, tmp_path) as url:
        made = World(url, seconds)
        yield made
        await made.close()
