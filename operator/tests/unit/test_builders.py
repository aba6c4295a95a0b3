"""The children of a CodeModel as golden YAML. After a change on purpose run UPDATE_GOLDEN=1 pytest; read the diff."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from codemodel_operator.api.codemodel import Owner, owner_of, parse_spec
from codemodel_operator.api.spec import CodeModelSpec, Model, Resources
from codemodel_operator.api.status import CacheStatus
from codemodel_operator.caching import fill_in
from codemodel_operator.memory import plan_memory
from codemodel_operator.resources import build_children
from codemodel_operator.resources.download import Downloads, build_downloader
from codemodel_operator.resources.storage import model_path

DATA = Path(__file__).parents[1] / "data" / "builders"
CASES = sorted(path.name.removesuffix(".input.yaml") for path in DATA.glob("*.input.yaml"))


def build(body: dict[str, Any]) -> list[dict[str, Any]]:
    spec = parse_spec(body)
    assert isinstance(spec, CodeModelSpec), spec
    planned = fill_in(
        plan_memory(spec, None, None), CacheStatus(mode=spec.cache.mode or "Shared", decided_by="Spec")
    )
    children = build_children(
        owner_of(body), planned, default_image="codemodel-server:dev", downloads=Downloads()
    )
    return list(children.values())


@pytest.mark.parametrize("case", CASES)
def test_children_equal_the_golden_file(case: str) -> None:
    built = build(yaml.safe_load((DATA / f"{case}.input.yaml").read_text()))
    golden = DATA / f"{case}.output.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(yaml.safe_dump_all(built, sort_keys=False))
    assert built == list(yaml.safe_load_all(golden.read_text()))


def spec(**model: str) -> CodeModelSpec:
    return CodeModelSpec.model_validate({"model": {"source": "http://h/m.gguf", **model}})


def test_another_source_or_checksum_is_another_file() -> None:
    """A rollout must never overwrite a file that the running replicas have mapped."""
    paths = {
        model_path(m)
        for s in (spec(), spec(source="http://h/n.gguf"), spec(sha256="0" * 64), spec(sha256="1" * 64))
        if (m := s.model)
    }
    assert len(paths) == 4


@pytest.mark.parametrize(
    ("limit", "size"),
    [("8Gi", str(8 << 30)), ("1.5Gi", str(3 << 29)), ("2e9", "2000000000"), ("1500m", "2")],
)
def test_what_only_the_secret_opens_is_not_downloaded_when_it_cannot_fit(limit: str, size: str) -> None:
    """The operator has not read its header."""
    limited = spec().model_copy(update={"resources": Resources.model_validate({"limits": {"memory": limit}})})
    model = Model.model_validate({"source": "http://h/m.gguf", "secretRef": {"name": "token"}})
    arguments = build_downloader(model, limited, "server:1", Downloads())["args"]
    assert arguments[arguments.index("--max-size") + 1] == size
    open_to_all = build_downloader(Model(source="http://h/m.gguf"), limited, "server:1", Downloads())
    assert "--max-size" not in open_to_all["args"]


def test_the_number_of_replicas_belongs_to_the_autoscaler() -> None:
    for case in CASES:
        body = yaml.safe_load((DATA / f"{case}.input.yaml").read_text())
        suspended = body["spec"].get("suspend", False)
        for child in build(body):
            assert ("replicas" in child["spec"]) == (suspended and child["kind"] == "Deployment")


def test_what_the_administrator_allows_reaches_the_download() -> None:
    owner = Owner(name="coder", namespace="models", uid="u", generation=1)
    downloads = Downloads(allow_private=True, hub_endpoint="http://hub.lan")
    children = build_children(owner, spec(), default_image="server:1", downloads=downloads)
    [container] = children["Deployment"]["spec"]["template"]["spec"]["initContainers"]
    assert "--allow-private" in container["args"]
    assert container["env"] == [{"name": "HF_ENDPOINT", "value": "http://hub.lan"}]


def test_a_source_that_is_mounted_needs_no_volume_of_its_own_and_no_download() -> None:
    owner = Owner(name="coder", namespace="models", uid="u", generation=1)
    for source in ("pvc://models/a/m.gguf", "oci://hub:5000/coder:1/a/m.gguf"):
        children = build_children(owner, spec(source=source), default_image="server:1", downloads=Downloads())
        assert "PersistentVolumeClaim" not in children
        # Said, and not left out: so an overwrite removes the one of a former source.
        assert children["Deployment"]["spec"]["template"]["spec"]["initContainers"] == []


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("server", "Always"),
        ("registry:5000/server", "Always"),
        ("server:latest", "Always"),
        ("registry:5000/server:1", "IfNotPresent"),
        ("server@sha256:ab", "IfNotPresent"),
        ("server:latest@sha256:ab", "IfNotPresent"),
    ],
)
def test_an_image_whose_tag_may_move_is_pulled_always(image: str, policy: str) -> None:
    """Said each time: the API server fills it in only once, and would keep it when the image changes."""
    owner = Owner(name="coder", namespace="models", uid="u", generation=1)
    children = build_children(owner, spec(), default_image=image, downloads=Downloads())
    pod = children["Deployment"]["spec"]["template"]["spec"]
    assert [c["imagePullPolicy"] for c in (*pod["initContainers"], *pod["containers"])] == [policy, policy]
