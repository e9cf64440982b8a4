"""A backup made as the guide says, while the server runs, is whole: a server restored from it has everything."""

import re
import shutil
import sqlite3
from contextlib import closing

from tests.kit.client import connected
from tests.kit.process import serving


async def call(server, gateway):
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}'
    head = f"POST /v1/{server.account}/{gateway}/openai/chat/completions HTTP/1.1\r\nhost: x\r\n"
    async with connected(server.port) as client:
        answer = await client.ask(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    assert answer.status == 200


async def logged(server):
    """The one row, once it is written."""
    while not (rows := await server.rows()):
        pass
    (row,) = rows
    return row


async def test_a_server_restored_from_a_backup_has_what_was_there(root, tmp_path):
    guide = (root / "docs" / "deployment.md").read_text("utf-8")
    ((sql, target),) = re.findall(r"\"(VACUUM INTO '([^']*)')\"", guide)
    first, second = tmp_path / "first", tmp_path / "second"
    async with serving(first) as server:
        await server.make_gateway("kept")
        await call(server, "kept")
        row = await logged(server)
        with closing(sqlite3.connect(first / "penstock.db")) as connection:
            connection.execute(sql.replace(target, str(tmp_path / "copy.db")))
        await server.make_gateway("lost")
        token = server.token
    second.mkdir(mode=0o700)
    shutil.copy(tmp_path / "copy.db", second / "penstock.db")
    shutil.copy(first / "master.key", second)
    async with serving(second, environ={"PENSTOCK_API_TOKEN": token}, gateways=()) as server:
        _, told = await server.ask("GET", "/accounts/{account}/ai-gateway/gateways")
        assert {gateway["id"] for gateway in told["result"]} >= {"kept"}
        assert "lost" not in repr(told)
        assert await server.rows() == [row]
