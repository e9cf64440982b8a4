import pytest
import typer

from penstock.cli.main import app
from penstock.core.settings import SETTINGS

SERVE = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
FLAGS = {parameter.name: parameter for parameter in SERVE.params}


@pytest.mark.parametrize(
    "name", ["host", "port", "data_dir", "config", "workers", "role", "tls_certificate", "tls_key"]
)
def test_a_flag_is_a_setting_and_says_the_same(name):
    (row,) = [row for row in SETTINGS if row.name == name]
    assert FLAGS[name].opts == [row.flag]
    assert FLAGS[name].help == row.sentence
    assert FLAGS[name].default is None, "a flag that is not given must leave the setting to the other places"


def test_the_settings_with_a_flag_come_first_in_the_table():
    assert {row.name for row in SETTINGS[:8]} == FLAGS.keys() - {"simulate"}


def test_there_are_no_other_flags_than_simulate():
    assert FLAGS.keys() - {row.name for row in SETTINGS} == {"simulate"}
