"""How much memory a replica gets, and when it is not started at all."""

import pytest

from codemodel_operator.api.quantity import parse_quantity
from codemodel_operator.api.spec import CodeModelSpec
from codemodel_operator.memory import Memory, facts_of, memory_of, misfit, plan_memory

from .conftest import header

MIB = 1 << 20


def spec(engine: dict[str, int] | None = None, **memory: str) -> CodeModelSpec:
    """A spec with these memory values, `request` and `limit`."""
    given = {kind: {"memory": memory[name]} for name, kind in KINDS.items() if name in memory}
    return CodeModelSpec.model_validate(
        {"model": {"source": "http://hub/m.gguf"}, "engine": engine or {}, "resources": given}
    )


KINDS = {"request": "requests", "limit": "limits"}


def planned(*arguments: object) -> tuple[str | None, str | None]:
    resources = plan_memory(*arguments).resources  # type: ignore[arg-type]
    return resources.requests.memory, resources.limits.memory


def test_what_the_user_wrote_is_kept() -> None:
    assert planned(spec(request="1Gi", limit="2Gi"), header(), Memory("3Gi", "4Gi")) == ("1Gi", "2Gi")


def test_what_was_left_out_comes_from_the_header_and_holds_all_contexts() -> None:
    request, limit = planned(spec(), header(), None)
    assert request == limit == facts_of(header(), spec()).required_memory
    assert request is not None
    weights_and_contexts = 638 + 4 * 2048 * 22528 / MIB
    assert weights_and_contexts + 150 < parse_quantity(request) / MIB < weights_and_contexts + 350


def test_a_context_that_the_model_was_not_trained_for_takes_nothing() -> None:
    assert planned(spec({"contextLength": 100000}), header(), None) == planned(spec(), header(), None)


def test_more_sequences_take_more() -> None:
    few, many = (planned(spec({"parallel": n}), header(), None)[0] for n in (1, 8))
    assert few is not None
    assert many is not None
    assert parse_quantity(many) - parse_quantity(few) >= 7 * 2048 * 22528


def test_one_that_was_left_out_never_contradicts_the_other() -> None:
    assert planned(spec(limit="900Mi"), header(), None) == ("900Mi", "900Mi")
    assert planned(spec(request="9Gi"), header(), None) == ("9Gi", "9Gi")
    assert planned(spec(limit="1Gi"), None, None) == ("1Gi", "1Gi")


def test_without_a_header_what_runs_keeps_what_it_has() -> None:
    assert planned(spec(), None, Memory("700Mi", "800Mi")) == ("700Mi", "800Mi")
    assert planned(spec(), None, None) == ("4Gi", "8Gi")


def test_a_limit_in_which_no_context_fits_is_refused_with_what_to_do() -> None:
    problem = misfit(header(), spec(limit="512Mi"))
    assert problem is not None
    assert problem.reason == "ModelDoesNotFit"
    assert "638Mi" in problem.message
    assert "limits.memory is 512Mi; raise it, lower spec.engine.contextLength" in problem.message


def test_one_context_is_enough_because_the_server_serves_with_it() -> None:
    assert misfit(header(), spec(limit="1Gi")) is None
    assert misfit(header(), spec()) is None


@pytest.mark.parametrize(("stored", "kept"), [("4096Mi", "4Gi"), ("1042Mi", "1042Mi"), ("1073741824", "1Gi")])
def test_what_the_api_server_stored_reads_as_it_was_written(stored: str, kept: str) -> None:
    """Another text of the same value would be another pod template, and roll the replicas."""
    resources = {"requests": {"memory": stored}, "limits": {"memory": stored}}
    pod = {"containers": [{"name": "llm-service", "resources": resources}]}
    live = memory_of({"spec": {"template": {"spec": pod}}})
    assert planned(spec(), None, live) == (kept, kept)


def test_what_a_live_deployment_has() -> None:
    container = {
        "name": "llm-service",
        "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    }
    containers = [{"name": "a-sidecar"}, container]
    assert memory_of({"spec": {"template": {"spec": {"containers": containers}}}}) == Memory("1Gi", "2Gi")
    assert memory_of({"spec": {"template": {"spec": {"containers": containers[:1]}}}}) is None
    assert memory_of({}) is None


@pytest.mark.parametrize(
    "field", ["architecture", "parameters", "quantization", "context_length", "size_bytes"]
)
def test_the_status_says_what_the_header_says(field: str) -> None:
    assert (
        getattr(facts_of(header(), spec()), field)
        == {
            "architecture": "llama",
            "parameters": 1 << 30,
            "quantization": "Q4_K_M",
            "context_length": 2048,
            "size_bytes": 639 * MIB,
        }[field]
    )
