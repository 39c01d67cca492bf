"""deploy/values.yaml: what Zero to JupyterHub's chart takes, what Jupyter reads, what the image has."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from traitlets.config import PyFileConfigLoader

COURSE = Path(__file__).resolve().parents[2]
VALUES = yaml.safe_load((COURSE / "deploy/values.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (COURSE / "deploy/Dockerfile").read_text(encoding="utf-8")


def closed(**properties: dict) -> dict:
    """An object of these properties and no others, as the chart's are."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def kind(*types: str) -> dict:
    return {"type": [*types]}


# What the chart takes, of what is set here: names and types as in jupyterhub/values.schema.yaml of
# github.com/jupyterhub/zero-to-jupyterhub-k8s, commit 02dd73d. The chart checks all of it, where helm is.
CHART = closed(
    singleuser=closed(
        image=closed(name=kind("string"), tag=kind("string")) | {"required": ["name", "tag"]},
        cmd=kind("array", "string", "null"), defaultUrl=kind("string", "null"), uid=kind("integer", "null"),
        fsGid=kind("integer", "null"), startTimeout=kind("integer", "null"),
        storage=closed(type={"enum": ["dynamic", "static", "none"]}, homeMountPath=kind("string"),
                       capacity=kind("string", "null")) | {"required": ["type", "homeMountPath"]},
        memory=closed(guarantee=kind("number", "string", "null"), limit=kind("number", "string", "null")),
        cpu=closed(guarantee=kind("number", "null"), limit=kind("number", "null")),
        extraEnv={"type": "object", "additionalProperties": kind("string")},
        extraFiles={"type": "object", "additionalProperties": closed(
            mountPath=kind("string"), data=kind("object")) | {"required": ["mountPath", "data"]}}),
    cull=closed(enabled=kind("boolean"), timeout=kind("integer", "null"), every=kind("integer", "null"))
    | {"required": ["enabled"]})
SPOILED = [("singleuser.cmd", 7), ("singleuser.memory.limits", "3G"), ("singleuser.cpu.limit", "1"),
           ("singleuser.extraEnv.COURSE_MAX_RATE", 30), ("cull.timeout", "1h"), ("singleuser.startTimeout", 1.5),
           ("singleuser.storage.capacity", 2), ("singleuser.extraFiles.jupyter.path", "/etc"), ("culling", {})]


def size(text: str) -> int:
    """Bytes, as JupyterHub reads them: `600M` is 600 times 1,048,576, `0.6G` 0.6 times 1,073,741,824."""
    return round(float(text[:-1]) * 1024 ** " KMGT".index(text[-1]))


def errors(values: dict) -> list[str]:
    found = Draft7Validator(CHART).iter_errors(values)
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in found]


def test_the_chart_takes_it():
    assert errors(VALUES) == []


@pytest.mark.parametrize(("name", "value"), SPOILED, ids=[name for name, _ in SPOILED])
def test_what_the_chart_does_not_take_is_seen(name, value):
    values = copy.deepcopy(VALUES)
    *path, last = name.split(".")
    inner = values
    for key in path:
        inner = inner[key]
    inner[last] = value
    assert errors(values)


def test_it_fits_the_image():
    single = VALUES["singleuser"]
    assert f"\nUSER {single['uid']}\n" in DOCKERFILE and f"--gid {single['fsGid']} " in DOCKERFILE
    assert f"\nWORKDIR {single['storage']['homeMountPath']}\n" in DOCKERFILE
    folder = re.search(r"COPY --from=built (\S+) ", DOCKERFILE)[1]
    assert single["cmd"] == f"{folder}/deploy/start-student"
    assert not folder.startswith(single["storage"]["homeMountPath"]), "the volume would hide it"
    assert (COURSE / "notebooks" / single["defaultUrl"].removeprefix("/lab/tree/")).is_file()


def test_the_image_is_to_be_filled_in():
    assert set(VALUES["singleuser"]["image"].values()) == {"registry.example.org/fill-in", "fill-in"}


@pytest.mark.skipif(os.name != "posix", reason="a server for a class runs Linux")
def test_jupyter_reads_the_file_that_is_mounted(tmp_path):
    (file,) = VALUES["singleuser"]["extraFiles"].values()
    path = Path(file["mountPath"])
    assert path.parent == Path("/etc/jupyter")  # which Jupyter looks into, whatever Python it runs in
    (tmp_path / path.name).write_text(json.dumps(file["data"]), encoding="utf-8")
    code = ("from jupyter_server.serverapp import ServerApp; app = ServerApp()\n"
            "app.initialize(argv=['--allow-root'], find_extensions=False, new_httpserver=False)\n"
            "m = app.kernel_manager; k = m.kernel_manager_factory(parent=m)\n"
            "print(m.cull_idle_timeout, m.cull_interval, m.cull_connected, k.transport)")
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=120, cwd=tmp_path,
                          env=os.environ | {"JUPYTER_CONFIG_PATH": str(tmp_path), "HOME": str(tmp_path)})
    assert done.stdout.split() == ["1800", "120", "False", "ipc"], done.stderr


HUB = COURSE / "deploy/jupyterhub_config.py"


def test_its_limits_are_those_of_a_class_on_one_machine(monkeypatch):
    for name in ("COURSE_RECORD", "COURSE_STUDENTS", "COURSE_AUTHENTICATOR"):
        monkeypatch.delenv(name, raising=False)
    config = PyFileConfigLoader(HUB.name, path=str(HUB.parent)).load_config()
    spawner, single = config.Spawner, VALUES["singleuser"]
    assert [size(single["memory"][key]) for key in ("guarantee", "limit")] == [
        size(spawner.mem_guarantee), size(spawner.mem_limit)]
    assert single["cpu"] == {"guarantee": spawner.cpu_guarantee, "limit": spawner.cpu_limit}
    assert single["startTimeout"] == spawner.start_timeout and single["defaultUrl"] == spawner.default_url
    assert single["extraEnv"] == spawner.environment and Path(single["cmd"]).name == Path(spawner.cmd[0]).name
    told = dict(argument.removeprefix("--").split("=") for argument in spawner.args)
    data = single["extraFiles"]["jupyter"]["data"]
    assert told == {f"{kind}.{name}": str(value).capitalize() if isinstance(value, bool) else str(value)
                    for kind, traits in data.items() for name, value in traits.items()}
    (culler,) = (service for service in config.JupyterHub.services if service["name"] == "idle-culler")
    assert {f"--timeout={VALUES['cull']['timeout']}", f"--cull-every={VALUES['cull']['every']}"} <= set(
        culler["command"])
