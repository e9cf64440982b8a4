from contextlib import closing
from pathlib import Path

import pytest

from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable
from penstock.storage.sql import POSTGRES, SQLITE


def test_the_default_is_a_file_in_the_data_directory(tmp_path: Path):
    assert opening.url_in(tmp_path) == f"sqlite:///{tmp_path / 'penstock.db'}"
    assert opening.url_in(Path("data")) == f"sqlite:///{Path.cwd() / 'data' / 'penstock.db'}"


@pytest.mark.parametrize("url", ["postgresql://h/d", "postgres://u:p@h:5433/d?sslmode=require"])
def test_postgresql_is_shared(url: str):
    assert opening.is_shared(url)
    with closing(opening.connect(url)) as one, closing(opening.connect_reader(url)) as other:  # neither connects yet
        assert one.dialect is other.dialect is POSTGRES


def test_a_file_is_not_shared(tmp_path: Path):
    url = opening.url_in(tmp_path)
    assert not opening.is_shared(url)
    with closing(opening.connect(url)) as one, closing(opening.connect_reader(url)) as other:
        assert one.dialect is other.dialect is SQLITE


@pytest.mark.parametrize("url", ["postgresql+asyncpg://u:secret@h/d", "mysql://u:secret@h/d"])
def test_another_url_is_refused_without_its_password(url: str):
    for how in (opening.connect, opening.connect_reader):
        with pytest.raises(StoreUnavailable, match="database_url") as refused:
            how(url)
        assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:////var/lib/x.db", "/var/lib/x.db"),
        ("postgresql://u:s@cret@db.example:5433/penstock?password=secret", "db.example:5433/penstock"),
        ("postgres:///penstock", "/penstock"),
    ],
)
def test_what_is_said_of_it_holds_no_password(url: str, name: str):
    assert opening.shown(url) == name
