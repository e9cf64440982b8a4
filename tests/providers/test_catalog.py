"""Every row holds, and a row that does not is refused by name."""

from pathlib import Path

import pytest
from genai_prices.data import providers as priced

from penstock.providers import catalog
from penstock.providers.dialects import DIALECTS
from penstock.providers.upstream import Upstream

ROWS = {row.id: row for row in catalog.load().values()}

GOOD = """
id = "x"
base_url = "https://x.example/v1"
docs = "https://x.example/docs"
checked = 2026-01-01
credential_headers = ["authorization"]
aliases = ["ex"]
[[endpoints]]
path = "chat/completions"
request_type = "chat.completions"
dialect = "openai_chat"
"""


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.id)
def test_every_row(row: catalog.Provider) -> None:
    upstream = Upstream(row)
    assert upstream.origin.tls
    assert row.prices == "" or row.prices in {provider.id for provider in priced}
    assert any(endpoint.dialect for endpoint in row.endpoints)
    for endpoint in row.endpoints:
        assert endpoint.dialect == "" or DIALECTS[endpoint.dialect].name == endpoint.dialect
        assert upstream.endpoint(endpoint.path.encode()) is endpoint


def test_the_first_providers_are_there() -> None:
    openai = Upstream(ROWS["openai"])
    assert openai.endpoint(b"chat/completions").dialect == "openai_chat"
    assert openai.endpoint(b"v1/responses").dialect == "openai_responses"
    assert openai.endpoint(b"embeddings").dialect == "openai_embeddings"
    assert openai.endpoint(b"models").dialect == ""
    assert Upstream(ROWS["anthropic"]).endpoint(b"v1/messages").dialect == "anthropic"


def test_a_row_is_found_by_its_aliases(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(GOOD)
    rows = catalog.load(tmp_path)
    assert rows["x"] is rows["ex"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("docs =", "dcos =", "dcos"),
        ('"https://x.example/v1"', "5", "base_url: Expected `str`"),
        ("checked = 2026-01-01", 'checked = "soon"', "checked"),
        ('"openai_chat"', '"esperanto"', "endpoints[0].dialect: unknown 'esperanto'"),
        ('path = "chat/completions"', 'path = "/chat"', "endpoints[0].path"),
        ('request_type = "chat.completions"', "", "request_type"),
        ('credential_headers = ["authorization"]', "credential_headers = []", "credential_headers"),
        ('["authorization"]', '["Authorization"]', "credential_headers[0]"),
        ('id = "x"', 'id = "y"', "id"),
        ('aliases = ["ex"]', 'aliases = ["x"]', "'x' is taken"),
        ('id = "x"', "id = ", "Invalid value"),
        (
            "[[endpoints]]",
            '[[endpoints]]\npath = "chat/completions"\nrequest_type = "a"\n[[endpoints]]',
            "occurs twice",
        ),
    ],
)
def test_a_bad_row_is_refused_by_file_and_member(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    (tmp_path / "x.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ValueError, match=r"^x\.toml: ") as refused:
        catalog.load(tmp_path)
    assert told in str(refused.value)
