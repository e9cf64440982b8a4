"""The Helm chart: its values against their schema, and the manifests that Helm made of it.

The manifests in ``rendered`` are Helm's own; ``scripts/deploy.py render`` writes them anew, and a digest tells when
that was forgotten. A machine with Helm also renders them here and compares.
"""

import re
from itertools import pairwise

import jsonschema_rs
import pytest
import yaml

from penstock.core import codec
from penstock.core.settings import SETTINGS, load

CASES = ["least", "parts", "tls"]


@pytest.fixture(scope="module")
def chart(root):
    return root / "deploy" / "helm" / "penstock"


@pytest.fixture(scope="module")
def values(chart):
    return yaml.safe_load((chart / "values.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def schema(chart):
    return codec.decode((chart / "values.schema.json").read_bytes())


@pytest.fixture(scope="module")
def given(root, values):
    """Name of a case -> the chart's values with those of the case."""
    places = {case: root / "tests" / "deploy" / "rendered" / f"{case}.values.yaml" for case in CASES}
    return {case: merged(values, yaml.safe_load(place.read_text("utf-8"))) for case, place in places.items()}


@pytest.fixture(scope="module")
def manifests(root):
    """Name of a case -> its manifests."""
    places = {case: root / "tests" / "deploy" / "rendered" / f"{case}.yaml" for case in CASES}
    return {
        case: [row for row in yaml.safe_load_all(place.read_text("utf-8")) if row] for case, place in places.items()
    }


def merged(under, over):
    """As Helm puts values over values."""
    found = {**under, **over}
    for name in under:
        if isinstance(under[name], dict) and name in over:
            found[name] = merged(under[name], over[name])
    return found


def every(manifests, kind):
    return [row for rows in manifests.values() for row in rows if row["kind"] == kind]


def container(manifest):
    (only,) = manifest["spec"]["template"]["spec"]["containers"]
    return only


def environment(manifest):
    return {row["name"]: row["value"] for row in container(manifest)["env"]}


def test_the_manifests_are_what_helm_makes_of_this_chart(deploy, root):
    assert (root / "tests/deploy/rendered/digest").read_text().strip() == deploy.digest(), "scripts/deploy.py render"
    if tool := deploy.helm():
        for case in CASES:
            place = root / "tests" / "deploy" / "rendered" / f"{case}.yaml"
            assert deploy.rendered(tool, place.with_name(f"{case}.values.yaml")) == place.read_text("utf-8")


@pytest.mark.parametrize("case", CASES)
def test_the_values_fit_their_schema(schema, given, case):
    jsonschema_rs.Draft7Validator(schema).validate(given[case])


REFUSED = {
    "a slip of the pen": {"imagge": {}},
    "the newest image": {"image": {"tag": "latest"}},
    "SQLite": {"secret": {"databaseUrl": "sqlite:////data/penstock.db"}},
    "a short key": {"secret": {"masterKey": "abc"}},
    "an unknown setting": {"settings": {"max_bodies": 1}},
    "a secret among the settings": {"settings": {"master_key": "0" * 64}},
    "all and a part": {"roles": {"proxy": {"enabled": True}}},
    "nothing": {"roles": {"all": {"enabled": False}}},
    "no workers": {"roles": {"all": {"workers": 0}}},
    "text for a number": {"service": {"port": "80"}},
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_schema_refuses_values_that_cannot_work(schema, values, case):
    assert jsonschema_rs.Draft7Validator(schema).is_valid(values)
    assert not jsonschema_rs.Draft7Validator(schema).is_valid(merged(values, REFUSED[case]))


def test_every_setting_can_be_given_to_the_chart_in_exactly_one_way(deploy, schema):
    named = set(schema["properties"]["settings"]["properties"])
    assert named | deploy.GIVEN == {row.name for row in SETTINGS}, "scripts/deploy.py settings"
    assert not named & deploy.GIVEN
    assert deploy.schema() == deploy.SCHEMA.read_bytes()


def test_the_chart_and_the_program_have_one_version(chart, version):
    about = yaml.safe_load((chart / "Chart.yaml").read_text("utf-8"))
    assert about["appVersion"] == about["version"] == version


def test_every_value_is_used_and_every_value_used_exists(chart, values):
    text = "".join(path.read_text("utf-8") for path in (chart / "templates").iterdir())
    used = set(re.findall(r"\.Values\.(\w+)", text))
    assert used == set(values)


def test_names_are_unique_and_labels_find_their_pods(manifests):
    for rows in manifests.values():
        names = [(row["kind"], row["metadata"]["name"]) for row in rows]
        assert len(set(names)) == len(names)
        pods = [row["spec"]["template"]["metadata"]["labels"] for row in rows if row["kind"] == "Deployment"]
        finders = [
            row["spec"]["selector"] for row in rows if row["kind"] in {"Service", "Deployment", "PodDisruptionBudget"}
        ]
        assert finders
        for finder in finders:
            wanted = finder.get("matchLabels", finder)
            assert sum(wanted.items() <= labels.items() for labels in pods) == 1


def test_a_service_and_a_probe_lead_to_a_port_that_the_pod_has(manifests):
    for row in every(manifests, "Deployment"):
        names = {port["name"]: port["containerPort"] for port in container(row)["ports"]}
        assert names == {"http": 8787}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = container(row)[probe]["httpGet"]
            assert asked["port"] in names
            assert asked["path"] == ("/readyz" if probe == "readinessProbe" else "/healthz")
    for row in every(manifests, "Service"):
        assert [port["targetPort"] for port in row["spec"]["ports"]] == ["http"]


def test_a_pod_that_must_go_has_the_time_that_its_calls_and_rows_need(manifests, worst_stop):
    for row in every(manifests, "Deployment"):
        pause = int(container(row)["lifecycle"]["preStop"]["exec"]["command"][1])
        assert row["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= pause + worst_stop


def test_every_pod_runs_without_rights_on_a_root_that_cannot_be_written(manifests):
    pods = [*every(manifests, "Deployment"), *every(manifests, "Job")]
    assert len(pods) == 8
    for row in pods:
        spec, inside = row["spec"]["template"]["spec"], container(row)["securityContext"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert inside["readOnlyRootFilesystem"] is True
        assert inside["allowPrivilegeEscalation"] is False
        assert inside["capabilities"] == {"drop": ["ALL"]}
        mounts = {mount["mountPath"]: mount["name"] for mount in container(row)["volumeMounts"]}
        assert {"/data", "/tmp"} <= set(mounts)
        assert {*mounts.values()} == {volume["name"] for volume in spec["volumes"]}


def test_the_user_of_the_pods_is_the_user_of_the_image(deploy, manifests):
    (user,) = re.findall(r"^USER (\d+)", deploy.CONTAINERFILE.read_text("utf-8"), re.MULTILINE)
    assert {
        str(row["spec"]["template"]["spec"]["securityContext"]["runAsUser"]) for row in every(manifests, "Deployment")
    } == {user}


def test_penstock_takes_what_the_chart_gives_it(manifests):
    (secret,) = every(manifests, "Secret")
    for row in every(manifests, "Deployment"):
        assert container(row)["args"] == ["serve"]
        own = {name: value for name, value in environment(row).items() if name.startswith("PENSTOCK_")}
        load({}, secret["stringData"] | own)
    (proxy,) = [row for row in every(manifests, "Deployment") if row["metadata"]["name"] == "gate-proxy"]
    settings = load({}, secret["stringData"] | environment(proxy))
    assert (settings.role, settings.workers) == ("proxy", 2)
    assert (settings.max_connections, settings.idle_timeout, settings.access_log) == (12_000_000, 0.5, True)


def test_the_configuration_file_lies_where_the_image_looks_for_it(deploy, manifests):
    (config,) = every(manifests, "ConfigMap")
    assert list(config["data"]) == ["penstock.toml"]
    (directory,) = re.findall(r"^WORKDIR (/etc\S+)", deploy.CONTAINERFILE.read_text("utf-8"), re.MULTILINE)
    for row in manifests["parts"]:
        if row["kind"] == "Deployment":
            assert directory in {mount["mountPath"] for mount in container(row)["volumeMounts"]}


def test_the_database_is_migrated_before_the_pods_and_finished_after_them(manifests):
    jobs = {row["metadata"]["name"]: row for row in manifests["parts"] if row["kind"] == "Job"}
    hooks = {name: row["metadata"]["annotations"]["helm.sh/hook"] for name, row in jobs.items()}
    assert hooks == {"gate-migrate": "pre-install,pre-upgrade", "gate-finish": "post-upgrade"}
    assert container(jobs["gate-migrate"])["args"] == ["migrate"]
    assert container(jobs["gate-finish"])["args"] == ["migrate", "--finish"]
    (secret,) = every(manifests, "Secret")  # must be there when the job runs
    assert secret["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    order = [int(row["metadata"]["annotations"]["helm.sh/hook-weight"]) for row in (secret, jobs["gate-migrate"])]
    assert all(first < second for first, second in pairwise(order))


def test_calls_go_to_the_proxy_and_the_rest_to_the_control_plane(manifests):
    (ingress,) = every(manifests, "Ingress")
    (rule,) = ingress["spec"]["rules"]
    paths = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert paths == {"/v1": "gate-proxy", "/": "gate-control"}
    services = {row["metadata"]["name"] for row in manifests["parts"] if row["kind"] == "Service"}
    assert services == {"gate-proxy", "gate-control", "gate-worker"}


def test_pods_that_serve_https_are_probed_by_https(manifests):
    (row,) = [row for row in manifests["tls"] if row["kind"] == "Deployment"]
    assert {container(row)[probe]["httpGet"]["scheme"] for probe in ("startupProbe", "readinessProbe")} == {"HTTPS"}
    folder = next(mount["mountPath"] for mount in container(row)["volumeMounts"] if mount["name"] == "tls")
    for name, file in (("PENSTOCK_TLS_CERTIFICATE", "tls.crt"), ("PENSTOCK_TLS_KEY", "tls.key")):
        assert environment(row)[name] == f"{folder}/{file}"


def test_the_memory_of_a_pod_holds_what_its_settings_allow(manifests):
    for row in every(manifests, "Deployment"):
        own = environment(row)
        if own["PENSTOCK_ROLE"] not in {"all", "proxy"}:
            continue
        settings = load({}, {"PENSTOCK_DATABASE_URL": "postgresql://h/n", "PENSTOCK_MASTER_KEY": "0" * 64})
        worker = 150_000_000 + settings.buffer_memory + settings.answer_memory + 2 * settings.log_queue_size
        limit = container(row)["resources"]["limits"]["memory"]
        assert int(limit.removesuffix("Gi")) * 1024**3 >= int(own["PENSTOCK_WORKERS"]) * worker
