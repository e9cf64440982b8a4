import re
from pathlib import Path

import pytest

from penstock.core.settings import MASK, SETTINGS, Settings, SettingsError, load, url_of

NO_FILE: dict[str, str] = {}


@pytest.fixture
def config(tmp_path):
    """Writes a configuration file and returns its path."""

    def write(text):
        path = tmp_path / "penstock.toml"
        path.write_text(text)
        return path

    return write


def problems(flags=None, environ=None, path=None):
    with pytest.raises(SettingsError) as caught:
        load(flags or {}, environ or {}, path)
    return caught.value.problems


def test_the_table_is_complete_and_each_row_has_one_sentence():
    for row in SETTINGS:
        assert re.fullmatch(r"[a-z][a-z_]*", row.name)
        assert row.sentence.endswith("."), row.name
        assert isinstance(getattr(Settings(), row.name), type(row.default)), row.name


def test_every_default_is_a_value_its_kind_accepts():
    for row in SETTINGS:
        written = str(row.default) if isinstance(row.default, Path) else row.default
        assert row.kind.parse(written) == row.default, row.name
        assert row.kind.parse(row.kind.spell(row.default)) == row.default, row.name


def test_the_defaults():
    settings = load({}, {})
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8787, Path("penstock-data"))
    assert settings.public_url == "http://127.0.0.1:8787"
    assert settings.providers == {}


def test_prices_beside_the_configuration_are_read_or_those_that_are_named(config):
    path = config("")
    assert load({}, {}, path).prices == ""
    path.with_name("prices.toml").write_text("# usual")
    settings = load({}, {}, path)
    assert (settings.prices_file, settings.prices) == (str(path.with_name("prices.toml")), "# usual")
    assert "usual" not in repr(settings)
    other = path.with_name("other.toml")
    other.write_bytes(b"# named")
    assert load({}, {"PENSTOCK_PRICES_FILE": str(other)}, path).prices == "# named"
    other.write_bytes(b"\xff")
    assert problems({}, {"PENSTOCK_PRICES_FILE": str(other)}, path) == (
        f"prices_file: {other} cannot be read: it is not UTF-8",
    )
    other.unlink()
    assert problems({}, {"PENSTOCK_PRICES_FILE": str(other)}, path) == (f"prices_file: there is no file {other}",)


def test_flag_goes_before_environment_before_file_before_default(config):
    path = config("port = 1001\nmax_calls = 11\nmax_body = '1MB'")
    environ = {"PENSTOCK_PORT": "1002", "PENSTOCK_MAX_CALLS": "12", "PENSTOCK_CONFIG": str(path)}
    settings = load({"port": "1003", "host": None}, environ)
    assert (settings.port, settings.max_calls, settings.max_body, settings.max_connections) == (
        1003,
        12,
        1_000_000,
        8_000,
    )
    assert settings.config == path


@pytest.mark.parametrize("row", [row for row in SETTINGS if row.name != "config"], ids=lambda row: row.name)
def test_every_setting_can_come_from_each_place(row, config):
    value = row.kind.spell(row.default)
    document = f"{row.name} = {value!r}" if value else ""
    path = config(document)
    assert getattr(load({}, {}, path), row.name) == getattr(load({row.name: value}, {row.variable: value}), row.name)


def test_an_empty_variable_counts_as_not_set():
    assert load({}, {"PENSTOCK_PORT": "", "PENSTOCK_PUBLIC_URL": ""}) == load({}, {})


def test_a_missing_file_is_fine_unless_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load({}, {}).port == 8787
    missing = tmp_path / "missing.toml"
    for found in (
        problems({"config": str(missing)}),
        problems({}, {"PENSTOCK_CONFIG": str(missing)}),
        problems({}, {}, missing),
    ):
        assert found == (f"config: there is no file {missing}",)


def test_the_file_beside_the_process_is_read_without_being_named(config, monkeypatch):
    monkeypatch.chdir(config("port = 1234").parent)
    assert load({}, {}).port == 1234


def test_everything_wrong_is_reported_together_with_its_place(config):
    path = config("port = 'x'\nhead_timeout = -1")
    assert problems({"workers": "many"}, {"PENSTOCK_MAX_BODY": "big"}, path) == (
        "max_body (variable PENSTOCK_MAX_BODY): must be a size such as 500000, 10MB or 64KiB, not 'big'",
        "workers (flag --workers): must be a whole number, 1 to 64, not 'many'",
        f"port ({path}): must be a whole number, 0 to 65535, not 'x'",
        f"head_timeout ({path}): must be a number of seconds, more than 0, not -1",
    )


def test_an_unknown_member_of_the_file_is_refused_with_what_was_probably_meant(config):
    path = config("max_bdy = 1\n[providers.b]\nbase_url = 'http://a'\nbase = 1")
    assert problems(path=path) == (
        f"{path}: there is no setting 'max_bdy'; did you mean max_body?",
        f"{path}: [providers.b]: there is no setting 'base'; known are api_key, base_url",
    )


def test_the_file_cannot_name_another_file(config):
    (problem,) = problems(path=config("config = 'other.toml'"))
    assert "there is no setting 'config'" in problem


def test_a_variable_that_looks_like_a_slip_is_refused_and_strangers_are_not():
    assert problems(environ={"PENSTOCK_MAXBODY": "1"}) == (
        "variable PENSTOCK_MAXBODY: there is no such setting; did you mean PENSTOCK_MAX_BODY?",
    )
    assert load({}, {"PENSTOCK_SERVICE_HOST": "10.0.0.1", "PENSTOCK_PORT_8787_TCP": "tcp://10.0.0.1:8787"}).port == 8787


def test_what_is_not_toml_is_said_with_its_place(config, tmp_path):
    (problem,) = problems(path=config("port = = 1"))
    assert "is not TOML" in problem
    assert "line 1" in problem
    (problem,) = problems(path=tmp_path)
    assert "cannot be read" in problem


def test_a_flag_that_is_no_setting_is_a_fault_of_the_program():
    with pytest.raises(KeyError):
        load({"colour": "red"}, {})


POSTGRES = {"database_url": "postgresql://u:secret@db/x", "master_key": "0" * 64}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"workers": "2"}, "workers: more than one share a PostgreSQL database and a Redis server"),
        ({"workers": "2", **POSTGRES}, "set database_url and redis_url"),
        ({"workers": "2", "redis_url": "redis://u:secret@cache"}, "one process alone writes to an SQLite file"),
        ({"role": "proxy"}, "role: parts in processes of their own share a PostgreSQL database"),
        ({"database_url": "postgresql://u:secret@db/x"}, "master_key: required with PostgreSQL"),
        ({"payments": "stripe", "stripe_secret_key": "sk"}, "stripe_webhook_secret: payments by stripe need it"),
        ({"tls_key": "key.pem"}, "tls_certificate, tls_key: HTTPS needs both"),
    ],
)
def test_settings_that_cannot_act_together_are_refused_with_the_reason(given, reason):
    (problem,) = problems(given)
    assert reason in problem
    assert "secret@" not in problem


@pytest.mark.parametrize("url", ["postgresql://u:p%2Fw@a:1,b:2/x", "postgres:///x?host=/run/pg", "sqlite:///a@b.db"])
def test_urls_of_databases_in_all_their_forms(url):
    assert load({"database_url": url, "master_key": "0" * 64}, {}).database_url == url


def test_several_workers_take_postgresql_and_redis():
    assert load({"workers": 2, "redis_url": "redis://cache", **POSTGRES}, {}).workers == 2


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("database_url", "mysql://u:secret@db/x", "must be sqlite:///path or postgresql://"),
        ("redis_url", "http://u:secret@cache", "must be redis://host:6379/0"),
        ("redis_url", "redis://:secret@/x@cache", "write / as %2F"),
        ("database_url", "postgresql://u:secret@/w@db/x", "write / as %2F"),
        ("database_url", "postgresql://u:sec#secret@db/x", "# as %23"),
        ("database_url", "postgresql://u:12/secret@db/x", "in a password"),
        ("master_key", "secret@", "must be 64 hexadecimal digits"),
        ("tax_percent", "101", "must be a percentage such as 19 or 7.5"),
        ("allowed_networks", "10.0.0.0/8,10.0.0.1/8", "'10.0.0.1/8' is none"),
        ("trusted_proxies", 4, "must be a list"),
        ("cors_origins", "https://app.example.com/path", "must be origins such as"),
    ],
)
def test_values_of_no_use_are_told_with_what_is(name, value, reason):
    (problem,) = problems({name: value})
    assert problem.startswith(f"{name} ")
    assert reason in problem
    assert "secret@" not in problem


def test_lists_are_text_with_commas_or_lists():
    given = {"PENSTOCK_ALLOWED_NETWORKS": "10.0.0.0/8, ::1", "PENSTOCK_CORS_ORIGINS": "https://App.example.com,*"}
    settings = load({}, given)
    assert list(map(str, settings.allowed_networks)) == ["10.0.0.0/8", "::1/128"]
    assert settings.cors_origins == ("https://app.example.com", "*")


def test_the_own_address_is_https_with_a_certificate():
    assert load({"tls_certificate": "c.pem", "tls_key": "k.pem"}, {}).public_url == "https://127.0.0.1:8787"


def test_bodies_must_fit_into_the_memory_for_them():
    assert problems({"hold_body": "2MB", "buffer_memory": "1MB"})[0].startswith("hold_body: must not be larger")


def test_sqlite_addresses_are_accepted():
    assert load({"database_url": "sqlite:///x.db"}, {}).database_url == "sqlite:///x.db"


def test_account_and_token_have_a_form():
    assert load({"account_id": "0" * 32, "api_token": "t" * 20}, {}).account_id == "0" * 32
    found = problems(environ={"PENSTOCK_ACCOUNT_ID": "ABC", "PENSTOCK_API_TOKEN": "hunter2"})
    assert found == (
        "account_id (variable PENSTOCK_ACCOUNT_ID): must be 32 hexadecimal digits, lower case, not 'ABC'",
        "api_token (variable PENSTOCK_API_TOKEN): must be 20 or more characters, printable, without spaces",
    )


def test_secrets_are_masked_where_settings_are_shown():
    shown = repr(load({"api_token": "x" * 24, "database_url": "sqlite:///x.db"}, {}))
    assert "x" * 24 not in shown
    assert f"api_token='{MASK}'" in shown
    assert "master_key=''" in shown


def test_keys_of_providers_come_from_their_sections_and_variables_go_before(config):
    path = config('[providers.openai]\napi_key = "sk-file"\n[providers.groq]\napi_key = "gsk"\nbase_url = "http://x"')
    settings = load({}, {"PENSTOCK_OPENAI_API_KEY": "sk-env", "PENSTOCK_GOOGLE_AI_STUDIO_API_KEY": "g"}, path)
    assert settings.provider_keys == {"openai": "sk-env", "groq": "gsk", "google-ai-studio": "g"}
    assert settings.providers == {"groq": "http://x"}
    assert "sk-env" not in repr(settings)
    assert "gsk" not in repr(settings)
    assert problems(environ={"PENSTOCK_OPENAI_API_KEY": "two\nlines"}) == (
        "api_key (variable PENSTOCK_OPENAI_API_KEY): must be visible ASCII, as the value of a header",
    )


def test_providers_come_from_their_sections(config):
    settings = load({}, {}, config('[providers.openai]\nbase_url = "http://127.0.0.1:8788/openai/"'))
    assert settings.providers == {"openai": "http://127.0.0.1:8788/openai"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[providers.Team]", "[providers.Team]: an id is 1 to 64 of a-z, 0-9, _ and -"),
        (f"[providers.{'a' * 65}]", "an id is 1 to 64"),
        ("providers = 3", "[providers.<id>]: must be a table, not 3"),
        ("[providers]\na = 3", "[providers.<id>]: must be a table, not 3"),
        ("[providers.openai]", "[providers.openai]: is empty; it takes base_url and api_key"),
        ("[providers.openai]\napi_key = 'a\u00e9'", "api_key ("),
        ("[providers.openai]\nbase_url = ''", "[providers.openai]): must be an address"),
    ],
)
def test_sections_are_checked(config, text, problem):
    assert problem in problems(path=config(text))[0]


def test_markups_keep_their_order_and_are_for_all_unless_they_say(config):
    text = '[[markups]]\nprovider = "openai"\nmodel = "gpt-5*"\npercent = 12.5\n[[markups]]\npercent = -5'
    assert load({}, {}, config(text)).markups == (("openai", "gpt-5*", 12.5), ("*", "*", -5.0))
    assert load({}, {}).markups == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("markups = 3", "[[markups]]: each is a table with percent"),
        ("[[markups]]\nprovider = 'openai'", "[[markups]]: each is a table with percent"),
        ("[[markups]]\npercent = -101", "must be a number, -100 to 10000, not -101"),
        ("[[markups]]\npercent = nan", "must be a number, -100 to 10000"),
        ("[[markups]]\npercent = 1\nmodels = 'x'", "did you mean model?"),
    ],
)
def test_markups_are_checked(config, text, problem):
    assert problem in problems(path=config(text))[0]


GRANT = "[[oidc_grants]]\nclaim = 'groups'\nvalue = 'ops'\nscopes = ['read', 'AI Gateway Write']"
OIDC = {"oidc_issuer": "https://id.example.com/", "oidc_client_id": "penstock"}


def test_grants_keep_their_order_and_are_for_all_gateways_unless_they_say(config):
    text = f"{GRANT}\n[[oidc_grants]]\nclaim = 'sub'\nvalue = '*'\nscopes = ['run']\ngateways = ['a', 'b']"
    settings = load(OIDC, {}, config(text))
    assert settings.oidc_issuer == "https://id.example.com"
    assert settings.oidc_grants == (
        ("groups", "ops", ("read", "AI Gateway Write"), None),
        ("sub", "*", ("run",), ("a", "b")),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("oidc_grants = 3", "[[oidc_grants]]: each is a table with claim, value and scopes"),
        ("[[oidc_grants]]\nclaim = 'a'\nvalue = 'b'", "[[oidc_grants]]: each is a table with claim, value and scopes"),
        (f"{GRANT}\ngateways = []", "[[oidc_grants]]: gateways is empty"),
        ("[[oidc_grants]]\nclaim = 'a'\nvalue = 'b'\nscopes = []", "[[oidc_grants]]: scopes is empty"),
        ("[[oidc_grants]]\nclaim = 'a'\nvalue = ''\nscopes = ['run']", "[[oidc_grants]]: value is empty"),
        ("[[oidc_grants]]\nclaim = 'a'\nvalue = 1\nscopes = ['run']", "must be text, not 1"),
        (f"{GRANT}\ngateway = ['a']", "did you mean gateways?"),
    ],
)
def test_grants_are_checked(config, text, problem):
    assert problem in problems(OIDC, path=config(text))[0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"oidc_issuer": "http://id.example.com"}, "oidc_issuer: must be https"),
        ({"oidc_client_id": ""}, "oidc_client_id: needed"),
        ({"oidc_issuer": ""}, "oidc_issuer: the other settings"),
        ({"oidc_scopes": "email openids"}, "oidc_scopes (flag --oidc-scopes): must be words"),
    ],
)
def test_openid_connect_is_refused_where_it_cannot_act(config, changes, problem):
    assert problem in problems(OIDC | changes, path=config(GRANT))[0]
    assert "oidc_grants: needed" in problems(OIDC, path=config(""))[0]
    load(OIDC | {"oidc_issuer": "http://127.0.0.1:8080/realm"}, {}, config(GRANT))


def test_the_public_address_follows_from_where_we_listen():
    assert load({"port": "9000"}, {}).public_url == "http://127.0.0.1:9000"
    assert load({"host": "0.0.0.0"}, {}).public_url == "http://127.0.0.1:8787"
    assert load({"public_url": "https://ai.example.com/"}, {}).public_url == "https://ai.example.com"
    assert load({"public_url": "https://ai.example.com/"}, {}).named_url == "https://ai.example.com"
    assert load({"port": "9000"}, {}).named_url == ""  # clients may have come by another name of this machine
    assert url_of("::1", 80) == "http://[::1]:80"
