from pathlib import Path

import pytest

from e2e.operator_benchmark.llmkube import CRDS, MANAGER, LLMKube, model, require_absent, require_built
from e2e.operator_benchmark.operators import BenchmarkError


def test_an_inference_service_has_no_replica_and_an_autoscaler(tmp_path: Path) -> None:
    resource = LLMKube(tmp_path, tmp_path / "kubeconfig").resource("a")
    assert resource["metadata"]["name"] == "a"
    assert resource["spec"]["replicas"] == 0
    assert resource["spec"]["autoscaling"]["maxReplicas"] > 1
    assert resource["spec"]["modelRef"] == model()["metadata"]["name"]


def test_a_folder_with_manager_and_definitions_will_do(tmp_path: Path) -> None:
    (tmp_path / CRDS).mkdir(parents=True)
    with pytest.raises(BenchmarkError, match="has no bin/manager: give --llmkube a checkout of LLMKube"):
        require_built(tmp_path)
    (tmp_path / MANAGER).parent.mkdir()
    (tmp_path / MANAGER).touch()
    require_built(tmp_path)


def test_a_cluster_with_llmkube_on_it_is_left_alone() -> None:
    ours = "customresourcedefinition.apiextensions.k8s.io/codemodels.codemodel.dev\n"
    theirs = "customresourcedefinition.apiextensions.k8s.io/models.inference.llmkube.dev\n"
    require_absent(ours, Path("llmkube"))
    with pytest.raises(BenchmarkError, match="kubectl delete -f llmkube/config/crd/bases"):
        require_absent(ours + theirs, Path("llmkube"))
