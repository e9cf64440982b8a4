"""What the compose file starts of Penstock, started as it says, on a real PostgreSQL and a real Redis."""

import asyncio
import os
import re
import sys

import psutil
import pytest
import yaml

from tests.kit.client import connected
from tests.kit.databases import SERVER, postgres_on
from tests.kit.process import environment, eventually

GIVEN = {
    "POSTGRES_PASSWORD": "0f" * 8,
    "REDIS_PASSWORD": "1e" * 8,
    "PENSTOCK_MASTER_KEY": "2d" * 32,
    "PENSTOCK_ACCOUNT_ID": "3c" * 16,
    "PENSTOCK_API_TOKEN": "an-example-and-no-token",
}


@pytest.fixture
def services(root):
    """The services, with every variable filled in."""
    text = (root / "deploy" / "compose.yaml").read_text("utf-8")
    filled = re.sub(r"\$\{(\w+):[?-]([^}]*)\}", lambda found: GIVEN.get(found[1], found[2]), text)
    return yaml.safe_load(filled)["services"]


@pytest.fixture
def elsewhere():
    """Turns the addresses within Compose's network into those of the test's servers."""
    with postgres_on(os.environ[SERVER], migrated=False) as url:
        places = {"postgresql://": url, "redis://": os.environ["PENSTOCK_TEST_REDIS_URL"]}

        def moved(variables):
            return {
                name: next((place for scheme, place in places.items() if str(value).startswith(scheme)), str(value))
                for name, value in variables.items()
            }

        yield moved


async def start(tmp_path, variables, *words):
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "penstock", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
        env=environment(variables | {"PENSTOCK_DATA_DIR": str(tmp_path / "data"), "PENSTOCK_PORT": "0"}),
    )


async def test_the_services_of_the_compose_file_migrate_serve_and_stop(services, elsewhere, tmp_path):
    migrate = await start(tmp_path, elsewhere(services["migrate"]["environment"]), *services["migrate"]["command"])
    said, _ = await migrate.communicate()
    assert migrate.returncode == 0, said.decode()
    penstock = await start(tmp_path, elsewhere(services["penstock"]["environment"]), "serve")
    assert penstock.stdout is not None
    lines = []
    try:
        async with asyncio.timeout(60):
            while not (match := re.search(r"listens on http://.*:(\d+)$", lines[-1] if lines else "")):
                lines.append((await penstock.stdout.readline()).decode().rstrip())
                assert penstock.returncode is None, "\n".join(lines)
        asked = f"GET /client/v4/accounts/{GIVEN['PENSTOCK_ACCOUNT_ID']}/ai-gateway/gateways HTTP/1.1\r\nhost: x\r\n"
        async with connected(int(match[1])) as client:
            answer = await client.ask(f"{asked}authorization: Bearer {GIVEN['PENSTOCK_API_TOKEN']}\r\n\r\n".encode())
        assert answer.status == 200
        workers = [one for one in psutil.Process(penstock.pid).children() if "penstock.cli.member" in one.cmdline()]
        assert len(workers) == 2
        penstock.terminate()
        async with asyncio.timeout(int(services["penstock"]["stop_grace_period"].removesuffix("s"))):
            await penstock.stdout.read()
            assert await penstock.wait() == 0
        await eventually(lambda: not any(one.is_running() for one in workers))
    finally:
        if penstock.returncode is None:
            for each in [*psutil.Process(penstock.pid).children(recursive=True), psutil.Process(penstock.pid)]:
                each.kill()
            await penstock.communicate()
