"""A provider of known dialects is one file: with it in the catalogue, and nothing else changed, calls work."""

import signal
from pathlib import Path

import pytest

import penstock
from penstock.providers import catalog
from tests.kit import examples
from tests.kit.client import connected
from tests.kit.process import serving

PACKAGE = Path(penstock.__file__).parent
ROW = """
id = "newcomer"
aliases = ["new"]
base_url = "https://api.newcomer.example/inference/v1"
docs = "https://docs.newcomer.example"
checked = 2026-11-30
credential_headers = ["authorization"]

[[endpoints]]
path = "chat/completions"
cacheable = true
dialect = "openai_chat"
request_type = "chat.completions"
model_type = "Text Generation"

[[endpoints]]
path = "messages"
cacheable = true
dialect = "anthropic"
request_type = "messages"
model_type = "Text Generation"

[[endpoints]]
path = "models"
request_type = "models"

[[examples]]
path = "v1/chat/completions"
url = "https://api.newcomer.example/inference/v1/chat/completions"
request_type = "chat.completions"
model = "newcomer-large"

[[examples]]
path = "inference/v1/messages"
url = "https://api.newcomer.example/inference/v1/messages"
request_type = "messages"
model = "newcomer-small"
"""


def linked(package: Path, place: Path, *, down: tuple[str, ...]) -> Path:
    """A folder that holds what ``package`` holds, by links; the one at ``down`` below it can take further files."""
    place.mkdir(parents=True)
    for path in package.iterdir():
        if down and path.name == down[0]:
            linked(path, place / path.name, down=down[1:])
        else:
            (place / path.name).symlink_to(path)
    return place.joinpath(*down)


@pytest.mark.asyncio
async def test_one_file_makes_a_provider(tmp_path: Path) -> None:
    folder = linked(PACKAGE, tmp_path / "changed" / "penstock", down=("providers", "catalog"))
    (folder / "newcomer.toml").write_text(ROW)
    rows = catalog.load(folder)
    row = rows["newcomer"]
    assert rows.keys() == catalog.load().keys() | {"newcomer", "new"}
    calls = list(examples.calls([row]))
    assert len(calls) == 2

    environ = {"PYTHONPATH": str(tmp_path / "changed")}
    async with serving(tmp_path / "data", environ=environ) as server, connected(server.port) as client:
        before = f"/v1/{server.account}/default"
        for call in calls:
            head = f"POST {before}/{call} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(call.body)}\r\n\r\n"
            answer = await client.ask(head.encode() + call.body)
            assert (answer.status, b"You said: hello" in answer.body) == (200, True)
        answer = await client.ask(f"GET {before}/new/models HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        assert answer.status == 200
        assert all(example.model.encode() in answer.body for example in row.examples)
        server.send(signal.SIGTERM)
        assert await server.ended() == 0
        chat, messages, models = await server.rows()

    for shown, call in ((chat, calls[0]), (messages, calls[1])):
        assert (shown["provider"], shown["model"]) == ("newcomer", call.example.model)
        assert shown["request_type"] == call.example.request_type
        assert (shown["tokens_in"], shown["tokens_out"]) == call.tokens
    assert (models["provider"], models["request_type"]) == ("newcomer", "models")
