"""The compose file: its structure, that what it refers to is there, and that Penstock takes what it gives."""

import re
import subprocess

import pytest
import yaml

from penstock.core.settings import SettingsError, load

# The members of a service that the file may use. Compose knows more; a slip of the pen is none of them.
MEMBERS = {
    *("build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image", "init", "ports"),
    *("read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "tmpfs", "ulimits", "user", "volumes"),
}
SAMPLES = {
    "POSTGRES_PASSWORD": "0123456789abcdef",
    "REDIS_PASSWORD": "fedcba9876543210",
    "PENSTOCK_MASTER_KEY": "0f" * 32,
    "PENSTOCK_ACCOUNT_ID": "a0" * 16,
    "PENSTOCK_API_TOKEN": "an-example-and-no-token",
}
# $$ is a dollar; ${NAME:?why} must be given; ${NAME:-default} need not.
VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::([?-])([^}]*))?\})")


class Missing(Exception):
    """A variable that must be given is not."""


def filled(text, given):
    """As Compose fills in variables, by the part of its syntax that the file uses."""

    def value(found):
        name, operator, rest = found.groups()
        if name is None:
            return "$"
        if given.get(name):
            return given[name]
        if operator == "?":
            raise Missing(f"{name}: {rest}")
        return rest or ""

    return VARIABLE.sub(value, text)


@pytest.fixture
def text(root):
    return (root / "deploy" / "compose.yaml").read_text("utf-8")


@pytest.fixture
def services(text):
    return yaml.safe_load(filled(text, SAMPLES))["services"]


def seconds(text):
    """Of a duration such as 75s."""
    return int(text.removesuffix("s"))


def test_the_compose_file_has_only_members_that_are_known(compose):
    assert set(compose) <= {"name", "services", "volumes", "x-penstock"}
    for name, service in compose["services"].items():
        assert set(service) <= MEMBERS, name
        assert {"image", "restart", "healthcheck" if name != "penstock" else "build"} <= set(service), name


def test_every_dependency_in_the_compose_file_is_a_service_that_can_be_waited_for(compose):
    services = compose["services"]
    for service in services.values():
        for other, about in service.get("depends_on", {}).items():
            condition = about["condition"]
            assert condition in {"service_healthy", "service_completed_successfully"}
            if condition == "service_healthy":
                assert "test" in services[other]["healthcheck"]
            else:  # ends, and is started again only where it failed
                assert services[other]["restart"].startswith("on-failure")


def test_every_volume_of_a_service_is_declared_and_used(compose):
    used = {mount.partition(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])}
    assert used == set(compose["volumes"])


def test_every_image_has_a_version(compose, version):
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert images.pop("penstock") == images.pop("migrate") == f"penstock:{version}"
    assert all(re.fullmatch(r"[a-z]+:\d[\w.-]*", image) for image in images.values()), images


def test_the_compose_file_builds_from_the_container_file(compose, root):
    build = compose["services"]["penstock"]["build"]
    context = (root / "deploy" / build["context"]).resolve()
    assert context == root
    assert (context / build["dockerfile"]).is_file()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_no_secret_has_a_default_in_the_compose_file(text, name):
    with pytest.raises(Missing, match=name):
        filled(text, SAMPLES | {name: ""})


def test_everything_that_must_be_given_is_in_the_example_with_a_way_to_make_it(text, root):
    lines = (root / "deploy" / "env.example").read_text("utf-8").splitlines()
    asked = {line.removesuffix("="): lines[number - 1] for number, line in enumerate(lines) if line.endswith("=")}
    assert set(asked) == set(SAMPLES) == {name for name, operator, _ in VARIABLE.findall(text) if operator == "?"}
    assert all(comment.startswith("# openssl rand -hex ") for comment in asked.values())
    optional = {name for name, operator, _ in VARIABLE.findall(text) if operator == "-"}
    assert all(f"# {name}=" in "\n".join(lines) for name in optional)


def test_the_gateway_takes_the_settings_that_the_compose_file_gives(services):
    settings = load({}, services["penstock"]["environment"])
    assert settings.workers == 2
    assert settings.database_url == "postgresql://penstock:0123456789abcdef@postgres:5432/penstock"
    assert settings.redis_url == "redis://:fedcba9876543210@redis:6379/0"
    assert load({}, services["migrate"]["environment"]).database_url == settings.database_url
    with pytest.raises(SettingsError, match="workers"):
        load({}, services["penstock"]["environment"] | {"PENSTOCK_REDIS_URL": ""})


def test_only_the_gateway_has_a_port_and_it_is_on_loopback(services):
    assert services["penstock"]["ports"] == ["127.0.0.1:8787:8787"]
    assert [name for name, service in services.items() if "ports" in service] == ["penstock"]


def test_the_gateway_may_do_little_and_has_the_time_and_the_files_that_it_needs(services, worst_stop, descriptors):
    for name in ("penstock", "migrate"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert {"/tmp", "/data"} == {*service["tmpfs"], *(mount.split(":")[1] for mount in service["volumes"])}
    assert seconds(services["penstock"]["stop_grace_period"]) >= worst_stop
    assert services["penstock"]["ulimits"]["nofile"] >= descriptors


def test_the_commands_of_the_guide_fill_the_example_with_what_penstock_takes(root, tmp_path, text):
    guide = (root / "docs" / "deployment.md").read_text("utf-8")
    ((copy, fill),) = re.findall(r"^(cp deploy/env.example .*)\n(sed (?:.|\n)*?deploy/\.env)$", guide, re.MULTILINE)
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "env.example").write_bytes((root / "deploy" / "env.example").read_bytes())
    subprocess.run(["sh", "-ec", f"{copy}\n{fill}"], check=True, cwd=tmp_path)
    file = tmp_path / "deploy" / ".env"
    assert file.stat().st_mode & 0o077 == 0
    lines = (line.partition("=") for line in file.read_text().splitlines() if line and line[0] != "#")
    given = {name: value for name, _, value in lines}
    assert set(given) == set(SAMPLES)
    assert len(set(given.values())) == len(given)
    service = yaml.safe_load(text)["services"]["penstock"]["environment"]
    load({}, {name: filled(value, given) for name, value in service.items()})
