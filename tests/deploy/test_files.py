"""The files of `deploy/` are what their readers take: each is held against its published schema, and against ours."""

from __future__ import annotations

import json
import os
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from autodc.studyfile import load_machine

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCHEMAS = Path(__file__).parent / "schemas"
MLFLOW = ("mlflow/compose.yaml", "mlflow/kubernetes.yaml")
WORKLOADS = ("Deployment", "StatefulSet")


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def of_kind(name: str, kind: str) -> Any:
    (found,) = [one for one in documents(name) if one["kind"] == kind]
    return found


def problems(value: Any, schema: Any) -> list[str]:
    """What is wrong with a value, each with its place."""
    found = jsonschema.validators.validator_for(schema)(schema).iter_errors(value)
    return [f"{'.'.join(map(str, one.absolute_path))}: {one.message}" for one in found]


@pytest.fixture(scope="module")
def kubernetes() -> Any:
    """What is wrong with an object of a kind."""
    schema = json.loads((SCHEMAS / "kubernetes.json").read_text())
    return lambda kind, value: problems(value, {**schema, "$ref": f"#/$defs/{kind}"})


@pytest.fixture(scope="module")
def rayjob() -> Any:
    return of_kind("rayjob.yaml", "RayJob")


def pods(rayjob: Any) -> list[Any]:
    cluster = rayjob["spec"]["rayClusterSpec"]
    return [one["template"] for one in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def test_ray_up_takes_the_cluster() -> None:
    import ray

    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    (cluster,) = documents("ray-cluster.yaml")
    assert problems(cluster, schema) == []
    assert problems({**cluster, "max_wokers": 3}, schema) != []
    assert cluster["head_node_type"] in cluster["available_node_types"]


def test_nobody_joins_the_cluster_without_its_token() -> None:
    (cluster,) = documents("ray-cluster.yaml")
    starts = [
        line
        for key in ("head_start_ray_commands", "worker_start_ray_commands")
        for line in cluster[key]
        if "ray start" in line
    ]
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=" in line for line in starts)
    assert "--dashboard-host=127.0.0.1" in starts[0]


def test_docker_compose_takes_mlflow() -> None:
    schema = json.loads((SCHEMAS / "compose.json").read_text())
    (compose,) = documents("mlflow/compose.yaml")
    assert problems(compose, schema) == []
    assert problems({**compose, "services": {"mlflow": {"prots": []}}}, schema) != []


def test_what_is_published_is_on_loopback_alone() -> None:
    (compose,) = documents("mlflow/compose.yaml")
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert ports == ["127.0.0.1:5000:5000"]


def test_kubernetes_takes_mlflow(kubernetes: Any) -> None:
    found = documents("mlflow/kubernetes.yaml")
    assert {one["kind"]: kubernetes(one["kind"], one) for one in found} == {one["kind"]: [] for one in found}
    assert kubernetes("Service", {**found[0], "spec": {"prots": []}}) != []
    assert all(one["spec"].get("type", "ClusterIP") == "ClusterIP" for one in found if one["kind"] == "Service")
    guarded = {one["metadata"]["name"] for one in found if one["kind"] == "NetworkPolicy"}
    assert guarded == {one["metadata"]["name"] for one in found if one["kind"] in WORKLOADS}


@pytest.mark.parametrize("name", MLFLOW)
def test_no_password_is_in_a_command(name: str) -> None:
    text = (DEPLOY / name).read_text()
    assert "postgresql://mlflow@" in text
    assert not re.search(r"postgresql://[^@\s]*:[^@\s]*@", text)


@pytest.mark.parametrize("name", MLFLOW)
def test_mlflow_knows_each_of_its_names_with_and_without_the_port(name: str) -> None:
    (said,) = re.findall(r"--allowed-hosts=([^\"]*?)\"?\n\s+(?:env|ports)", (DEPLOY / name).read_text())
    allowed = re.sub(r"\\?\s", "", said).split(",")
    names = {one.partition(":")[0] for one in allowed}
    assert {"mlflow", "localhost"} <= names
    assert set(allowed) == names | {f"{one}:5000" for one in names}


def test_the_rayjob_has_the_keys_of_its_api(rayjob: Any) -> None:
    schema = json.loads((SCHEMAS / "rayjob.json").read_text())
    assert problems(rayjob, schema) == []
    assert problems({**rayjob, "spec": {**rayjob["spec"], "backofLimit": 1}}, schema) != []
    assert rayjob["spec"]["rayClusterSpec"]["rayVersion"] == metadata.version("ray")


def test_kubernetes_takes_the_pods_of_the_rayjob(rayjob: Any, kubernetes: Any) -> None:
    assert [kubernetes("PodTemplateSpec", pod) for pod in pods(rayjob)] == [[], []]
    assert kubernetes("ConfigMap", of_kind("rayjob.yaml", "ConfigMap")) == []


def test_the_rayjob_meets_the_published_definition(rayjob: Any) -> None:
    if "KUBERAY_CRD" not in os.environ:
        pytest.skip("KUBERAY_CRD names no definition of KubeRay's")
    crd = yaml.load(Path(os.environ["KUBERAY_CRD"]).read_text(), Loader=yaml.CSafeLoader)
    (schema,) = [one["schema"]["openAPIV3Schema"] for one in crd["spec"]["versions"] if one["name"] == "v1"]
    assert problems(rayjob, closed(schema)) == []


def test_the_rayjob_asks_for_a_token_and_fails_closed(rayjob: Any) -> None:
    assert rayjob["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token"}
    for pod in pods(rayjob):
        (container,) = pod["spec"]["containers"]
        assert {"name": "RAY_AUTH_MODE", "value": "token"} in container["env"]


def test_the_command_of_the_rayjob_is_one_and_its_machine_file_can_be_read(rayjob: Any, tmp_path: Path) -> None:
    from autodc.cli.main import cli

    words = rayjob["spec"]["entrypoint"].split()
    assert words[0] == "autodc"
    options = cli.commands[words[1]].make_context(words[1], words[2:]).params
    mounts = {mount["name"]: mount["mountPath"] for mount in pods(rayjob)[0]["spec"]["containers"][0]["volumeMounts"]}
    folder, name = options["machine"].rsplit("/", 1)
    assert folder == mounts["machine"]
    machine = tmp_path / "machine.yaml"
    machine.write_text(of_kind("rayjob.yaml", "ConfigMap")["data"][name])
    spec = load_machine(machine)
    assert spec.address == "auto"
    assert spec.cache_dir is not None
    assert spec.cache_dir.startswith(mounts["study"])
    assert options["out"].startswith(mounts["study"])


def closed(schema: Any) -> Any:
    """A schema of Kubernetes's that refuses keys it does not name, as the server does when it is asked to be strict."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        found.setdefault("additionalProperties", bool(schema.get("x-kubernetes-preserve-unknown-fields")))
    return found
