"""``penstock keys test``: right and wrong keys of every provider, against simulated providers that look at keys."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from penstock import mock
from penstock.mock.signatures import AccessKey
from penstock.model.credential import StoredKey
from penstock.providers import catalog
from penstock.storage import custom_providers
from penstock.storage.custom_providers import CustomRow
from penstock.storage.engine import Database
from tests.kit.command import Done, command
from tests.kit.store import ACCOUNT, MASTER_KEY, furnish

pytestmark = pytest.mark.asyncio(loop_scope="module")

RIGHT, WRONG = "sk-right-0123456789", "sk-wrong-0123456789"
ROWS = {row.id: row for row in catalog.load().values()}
TESTED = sorted(name for name, row in ROWS.items() if row.check is not None)
UNTESTED = sorted(ROWS.keys() - set(TESTED))
PATHS = {  # with the parts that a plain key does not tell
    "aws-bedrock": "bedrock-runtime/us-east-1/async-invoke",
    "azure-openai": "mine/openai/v1/models",
    "google-vertex-ai": "v1/projects/p/locations/us-central1/models",
}
EMAIL = "me@project.example"
PRIVATE, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))
AWS = {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "right/Secret+Key", "region": "eu-west-1"}
STATUSES = {"aws-bedrock": 403, "google-ai-studio": 400, "grok": 400}  # of a refusal; of all others 401


class There(NamedTuple):
    """What the command works on; ``told``: what it said of all keys of the gateway, by provider and alias."""

    flags: list[str]
    told: dict[tuple[str, str], dict[str, Any]]
    status: int

    async def test(self, *words: str, **environ: str) -> Done:
        return await asked(self.flags, *words, **environ)


async def asked(flags: list[str], *words: str, **environ: str) -> Done:
    known = {"PENSTOCK_MASTER_KEY": MASTER_KEY.hex(), "PENSTOCK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    done = await asyncio.to_thread(command, "keys", "test", *flags, *words, environ=known | environ)
    for secret in (RIGHT, WRONG, AWS["secretAccessKey"], "PRIVATE KEY"):
        assert secret not in done.out + done.err
    return done


def rows(done: Done) -> dict[tuple[str, str], dict[str, Any]]:
    found = [json.loads(line) for line in done.out.splitlines()]
    return {(row["provider_slug"], row["alias"]): row for row in found}


def service_account(url: str, key: rsa.RSAPrivateKey) -> str:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = {"type": "service_account", "client_email": EMAIL, "private_key": pem, "private_key_id": "k1"}
    return json.dumps(told | {"project_id": "p", "token_uri": f"{url}/oauth2/token"})


def stored(url: str) -> list[StoredKey]:
    secrets = [(name, alias, secret) for name in ROWS for alias, secret in (("right", RIGHT), ("wrong", WRONG))]
    secrets += [
        ("aws-bedrock", "signs", json.dumps(AWS)),
        ("aws-bedrock", "signs-wrong", json.dumps(AWS | {"secretAccessKey": "another"})),
        ("aws-bedrock", "unknown", json.dumps(AWS | {"accessKeyId": "AKIDOTHER"})),
        ("google-vertex-ai", "account", service_account(url, PRIVATE)),
        ("google-vertex-ai", "account-wrong", service_account(url, OTHER)),
        ("custom-mine", "right", RIGHT),
        ("custom-mine", "wrong", WRONG),
        ("custom-open", "any", RIGHT),
        ("custom-without", "any", RIGHT),
        ("custom-away", "any", RIGHT),
        ("custom-gone", "any", RIGHT),
    ]
    return [StoredKey("", name, alias, False, secret, 1) for name, alias, secret in secrets]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[There]:
    folder: Path = tmp_path_factory.mktemp("keys")
    signers = {AWS["accessKeyId"]: AccessKey(AWS["secretAccessKey"])}
    access = mock.Access([RIGHT], signers, {EMAIL: PRIVATE.public_key()})
    looking, careless = await mock.start(access=access), await mock.start()
    place = await furnish(folder, {"default": {}}, [], keys=stored(looking.url))
    with closing(socket.socket()) as taken:  # it is bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{taken.getsockname()[1]}"
        urls = {"mine": f"{looking.url}/openai", "open": f"{careless.url}/openai", "without": f"{careless.url}/fal/x"}
        database = Database(place.url)
        async with database.writing() as connection:
            for slug, url in (urls | {"away": away}).items():
                settings = {"slug": slug, "base_url": url, "enable": True}
                await custom_providers.add(connection, CustomRow(slug, ACCOUNT, slug, settings, 1, 0, 0))
        await database.close()
        config = folder / "penstock.toml"
        config.write_text("".join(f'[providers.{name}]\nbase_url = "{looking.url}/{name}"\n' for name in ROWS))
        flags = ["--database-url", place.url, "--config", str(config), "--data-dir", str(folder)]
        done = await asked(flags, "--json")
        yield There(flags, rows(done), done.status)
    await looking.stop()
    await careless.stop()


@pytest.mark.parametrize("name", TESTED)
async def test_a_right_key_is_accepted_and_a_wrong_one_refused(there: There, name: str):
    told = there.told
    if name in PATHS:
        assert told[name, "right"]["outcome"] == "not testable"
        assert "--path" in told[name, "right"]["message"]
        told = rows(await there.test(name, "--path", PATHS[name], "--json"))
    right, wrong = told[name, "right"], told[name, "wrong"]
    assert (right["outcome"], right["status"], right["message"]) == ("accepted", 200, "")
    assert right["request"].startswith("GET http://127.0.0.1:")
    assert (wrong["outcome"], wrong["status"]) == ("refused", STATUSES.get(name, 401))
    assert wrong["message"]
    assert "{" not in wrong["message"], "a sentence, and no document"


@pytest.mark.parametrize("name", UNTESTED)
async def test_a_key_that_nothing_cheap_tests_is_said_to_be_so(there: There, name: str, root: Path):
    assert f"`{name}`" in (root / "docs/keys.md").read_text("utf-8").partition("no such request: ")[2]
    told = there.told[name, "right"]
    assert (told["outcome"], told["request"]) == ("not testable", "")
    assert "costs nothing" in told["message"]


@pytest.mark.parametrize(
    ("alias", "outcome", "status", "says"),
    [
        ("signs", "accepted", 200, ""),
        ("signs-wrong", "refused", 403, "does not match the signature"),
        ("unknown", "refused", 403, "The security token included in the request is invalid."),
    ],
)
async def test_a_key_that_signs(there: There, alias: str, outcome: str, status: int, says: str):
    told = there.told["aws-bedrock", alias]
    assert (told["outcome"], told["status"]) == (outcome, status)
    assert says in told["message"]


async def test_a_service_account(there: There):
    right, wrong = (there.told["google-vertex-ai", alias] for alias in ("account", "account-wrong"))
    assert (right["outcome"], right["status"]) == ("accepted", 200)
    assert right["request"].endswith("/v1/projects/p/locations/us-central1/models?pageSize=1")
    assert wrong["outcome"] == "refused"
    assert "(400): Invalid JWT Signature." in wrong["message"]


@pytest.mark.parametrize(
    ("name", "alias", "outcome", "says"),
    [
        ("mine", "right", "accepted", ""),
        ("mine", "wrong", "refused", "Incorrect API key"),
        ("open", "any", "unclear", "the same without a key"),
        ("without", "any", "unclear", "Method Not Allowed"),
        ("away", "any", "unreachable", "refused"),
        ("gone", "any", "not testable", "no such provider"),
    ],
)
async def test_keys_of_custom_providers(there: There, name: str, alias: str, outcome: str, says: str):
    told = there.told[f"custom-{name}", alias]
    assert told["outcome"] == outcome
    assert says in told["message"]


async def test_an_address_that_may_not_be_called_is_not_called(there: There):
    done = await there.test("custom-mine", PENSTOCK_ALLOWED_NETWORKS="10.0.0.0/8")
    assert done.status == 3
    assert "its address is not public" in done.out


@pytest.mark.parametrize(
    ("words", "status", "shows"),
    [
        (["openai", "--alias", "right"], 0, "openai    right  accepted  200"),
        (["openai"], 1, "wrong  refused   401     Incorrect API key provided: sk-mock."),
        (["custom-away"], 3, "unreachable"),
        (["custom-without"], 3, "unclear"),
        (["fal"], 4, "not testable"),
        (["azure", "--alias", "right", "--path", "mine/openai/v1/models"], 0, "accepted"),
    ],
)
async def test_the_exit_status_says_the_worst(there: There, words: list[str], status: int, shows: str):
    done = await there.test(*words)
    assert (done.status, done.err) == (status, "")
    assert shows in done.out
    assert there.status == 1


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["openai", "--alias", "none"], 1, "the gateway default has no key none of openai"),
        (["--gateway", "none"], 1, "there is no gateway none"),
        (["--path", "models"], 2, "--path: name the provider"),
    ],
)
async def test_what_cannot_be_tested_at_all(there: There, words: list[str], status: int, says: str):
    done = await there.test(*words)
    assert (done.status, done.out) == (status, "")
    assert says in done.err


async def test_settings_that_no_server_would_start_with_are_refused(there: There, tmp_path: Path):
    config = tmp_path / "wrong.toml"
    config.write_text('[providers.openly]\nbase_url = "https://x.example"\n')
    done = await there.test("openai", "--config", str(config))
    assert (done.status, done.out) == (2, "")
    assert "there is no such provider" in done.err
