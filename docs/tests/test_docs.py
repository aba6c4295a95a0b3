"""The documents say what the code does: every name of the interface, every default, every link and every example."""

import ast
import asyncio
import json
import os
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

import codemodel_delivery
import codemodel_operator
import codemodel_server
from codemodel_delivery.fetch import cli as fetch
from codemodel_delivery.fetch.errors import FetchError
from codemodel_delivery.gguf.errors import GGUFError
from codemodel_operator.__main__ import parse as parse_operator_settings
from codemodel_operator.api.codemodel import parse_spec
from codemodel_operator.api.crd import build_crd, structural
from codemodel_operator.api.spec import CodeModelSpec
from codemodel_operator.api.status import CodeModelStatus
from codemodel_operator.metrics import Metrics as OperatorMetrics
from codemodel_operator.status import CONDITION_TYPES
from codemodel_operator.workqueue import WorkQueue
from codemodel_server.api.errors import _TYPES
from codemodel_server.api.schemas import ChatRequest
from codemodel_server.app import create_app
from codemodel_server.cli import _USAGE_ERROR
from codemodel_server.engines.mock import MockEngine
from codemodel_server.errors import ServingError
from codemodel_server.metrics import Metrics
from codemodel_server.server import _WORKER_FAILED
from codemodel_server.service import Service
from codemodel_server.settings import OPTIONS, parse_settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CODEMODEL, SERVER, METRICS, DEPLOY = (
    DOCS / f"{name}.md" for name in ("codemodel", "server", "metrics", "deploy")
)
MARKDOWN = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("[!.]*/**/*.md"))
    if path.relative_to(ROOT).parts[0] not in ("build", "artifacts")
)
Schema = Mapping[str, Any]


def code(name: str) -> str:
    return f"`{name}`"


def table_rows(path: Path) -> list[list[str]]:
    """The cells of every table row of a document."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [re.split(r"\s*\|\s*", line.strip("|").strip()) for line in lines if line.startswith("|")]


def rows(path: Path) -> dict[str, list[str]]:
    """The same by the text of the first cell, where that is unique."""
    return {row[0]: row for row in table_rows(path)}


def fenced(path: Path, *languages: str) -> list[str]:
    """The fenced blocks of a document that are in one of these languages ("" for none)."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for language, text in blocks if language in languages]


def named(path: Path) -> set[str]:
    """What a document names in `backticks` outside of its fenced blocks."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", text))


def modules(package: Any) -> Iterator[ast.Module]:
    for file in sorted(Path(package.__path__[0]).rglob("*.py")):
        yield ast.parse(file.read_text(encoding="utf-8"))


# --- the spec and the status


def leaves(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Path, schema and whether it is required of every field that has no fields of its own."""
    for name, child in schema["properties"].items():
        if "properties" in child:
            yield from leaves(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child, name in schema.get("required", ())


FIELDS = {path: (schema, required) for path, schema, required in leaves(structural(CodeModelSpec))}


@pytest.mark.parametrize("path", FIELDS)
def test_a_field_of_the_spec_has_its_type_default_and_bounds_in_the_table(path: str) -> None:
    schema, required = FIELDS[path]
    _, type_, default, bounds, meaning = rows(CODEMODEL)[code(path)]
    assert type_ == ("quantity" if "x-kubernetes-int-or-string" in schema else schema["type"])
    if path in {"model.secretRef.name", "auth.secretRef.name"}:
        assert default == "none"  # required in secretRef, which may be left out
    else:
        assert default == (
            code(
                str(schema["default"]).lower() if schema.get("type") == "boolean" else str(schema["default"])
            )
            if "default" in schema
            else ("none", "required")[required]
        )
    if "minimum" in schema:
        assert bounds.startswith(f"{schema['minimum']} to {schema['maximum']}")
    if "minLength" in schema:
        assert f"{schema['minLength']} to {schema['maxLength']} characters" in bounds
    for value in schema.get("enum", ()):
        assert code(value) in bounds
    assert meaning


def test_every_field_in_the_table_exists() -> None:
    table = {row[0] for row in table_rows(CODEMODEL) if len(row) == 5 and row[0].startswith("`")}
    assert table == set(map(code, FIELDS))


def test_every_field_of_the_status_and_every_condition_is_explained() -> None:
    status = {path for path, _, _ in leaves(structural(CodeModelStatus))}
    assert status | set(CONDITION_TYPES) <= named(CODEMODEL)


def test_every_printer_column_is_explained() -> None:
    columns = build_crd()["spec"]["versions"][0]["additionalPrinterColumns"]
    assert {column["name"].upper() for column in columns} <= named(CODEMODEL)


# --- the reasons of conditions

_REASON = re.compile(r"[A-Z][a-z]+(?:[A-Z][A-Za-z]*)*")
_STATUSES = {"True", "False", "Unknown"}


def reason_expressions(node: ast.AST) -> Iterator[ast.expr]:
    """What stands where a reason belongs: in a Finding, a Problem, a verdict, or a variable named reason."""
    match node:
        case ast.Call(func=ast.Name(id="Finding"), args=[_, reason, *_]):
            yield reason
        case ast.Call(func=ast.Name(id="Problem"), args=[reason, *_]):
            yield reason
        case ast.Call(func=ast.Name(id="Finding" | "Problem"), keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg == "reason")
        case ast.Tuple(elts=[ast.Constant(value=str(status)), reason, _]) if status in _STATUSES:
            yield reason
        case ast.Assign(targets=[target], value=value):
            if any(isinstance(name, ast.Name) and name.id == "reason" for name in ast.walk(target)):
                yield value


def reasons_of_the_operator() -> set[str]:
    texts = {
        constant.value
        for module in modules(codemodel_operator)
        for node in ast.walk(module)
        for expression in reason_expressions(node)
        for constant in ast.walk(expression)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }
    return {text for text in texts - _STATUSES if _REASON.fullmatch(text)}


def failures_of_a_download() -> dict[str, int]:
    return {error.__name__: error.exit_code for error in FetchError.__subclasses__()}


def failures_of_a_header() -> set[str]:
    return {error.__name__ for error in GGUFError.__subclasses__()}


def reasons() -> set[str]:
    return reasons_of_the_operator() | set(failures_of_a_download()) | failures_of_a_header()


def test_one_reason_of_each_form_is_found() -> None:
    """Guards the search itself: a Finding, a Problem, a verdict, one through a variable, and an alternative."""
    forms = {"ImagePullFailed", "NameConflict", "NotStalled", "DownloadFailed", "Unschedulable", "NotScaling"}
    assert forms <= reasons_of_the_operator()


def test_every_reason_has_a_meaning_and_a_remedy_and_no_other_is_told_of() -> None:
    table = {row[0].strip("`") for row in table_rows(CODEMODEL) if len(row) == 3 and row[0].startswith("`")}
    assert {name for name in table if _REASON.fullmatch(name)} == reasons()


# --- the server


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture(scope="module")
def app(metrics: Metrics) -> Any:
    service = Service(MockEngine(2048, 1, 0), "sample-coder", 1, metrics)
    service.open()
    return create_app(service, metrics, parse_settings([], {}))


def test_every_route_is_explained(app: Any) -> None:
    routes = {
        f"{method} {rule.rule.replace('<path:name>', '{name}')}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert set(map(code, routes)) == {route for route in rows(SERVER) if re.match(r"`[A-Z]+ /", route)}


def test_the_example_of_an_answer_has_the_fields_of_an_answer(app: Any) -> None:
    answer, error = map(json.loads, fenced(SERVER, "json"))
    client = app.test_client()
    assert list(client.post("/chat", json={"prompt": "x", "max_tokens": 1}).json) == list(answer)
    assert client.post("/chat", json={"prompt": "x", "max_tokens": 4000}).json == error


def test_the_example_of_a_stream_has_the_fields_of_a_stream(app: Any) -> None:
    body = app.test_client().post("/chat", json={"prompt": "x", "max_tokens": 1, "stream": True}).text
    events = [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line]
    example = next(block for block in fenced(SERVER, "") if block.startswith("data:"))
    assert [list(event) for event in events[:-1]] == [["token"]]
    documented = re.findall(r'"(\w+)": ', example.splitlines()[-1])
    assert documented == list(events[-1])[: len(documented)]


@pytest.mark.parametrize("route", ["/health", "/info", "/live", "/ready"])
def test_every_field_of_an_answer_is_in_its_example(app: Any, route: str) -> None:
    examples = "\n".join(fenced(SERVER, ""))
    assert set(names(app.test_client().get(route).json)) <= set(re.findall(r'"(\w+)":', examples))


def names(answer: Any) -> Iterator[str]:
    """The names of all fields, at every depth."""
    for child in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
        yield from names(child)
    yield from answer if isinstance(answer, dict) else ()


@pytest.mark.parametrize("name", ChatRequest.model_fields)
def test_every_field_of_a_request_is_in_the_table_with_its_default(name: str) -> None:
    field = ChatRequest.model_fields[name]
    _, _, default, _ = rows(SERVER)[code(name)]
    if field.is_required():
        assert default == "required"
    elif field.default is not None:
        assert default.strip("`") == json.dumps(field.default)


def errors(base: type[ServingError]) -> Iterator[type[ServingError]]:
    yield base
    for error in base.__subclasses__():
        yield from errors(error)


def test_every_kind_of_error_is_in_the_table_and_no_other() -> None:
    table = {
        (row[0], row[1].strip("`")) for row in table_rows(SERVER) if re.fullmatch("[45][0-9][0-9]", row[0])
    }
    raised = {(str(error.status), error.type) for error in errors(ServingError)}
    assert table == raised | {(str(status), type_) for status, type_ in _TYPES.items()}


OF_OPERATOR = "`codemodel_operator_"


def metrics_of(registry: CollectorRegistry) -> set[str]:
    """Their names with their labels, as the tables have them; each must have been used."""
    found = set()
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = [label for label in family.samples[0].labels if label != "le"]
        found.add(code(f"{name}{{{','.join(labels)}}}" if labels else name))
    return found


def test_every_metric_of_the_operator_is_explained_with_its_labels() -> None:
    metrics = OperatorMetrics()
    loop = asyncio.new_event_loop()
    metrics.watch(WorkQueue(clock=loop.time, call_later=loop.call_later, rng=random.Random(0)))
    metrics.reconciled(1, "done")
    metrics.requested("get", "Service")
    change = {"time": "2030-01-01T00:00:00Z", "from": 1, "to": 2, "reason": "r", "readyAfterSeconds": 1}
    condition = {"type": "Ready", "status": "True", "reason": "R", "message": "M", "observedGeneration": 1}
    status = {
        "conditions": [{**condition, "lastTransitionTime": "2030-01-01T00:00:00Z"}],
        "scaling": {"events": [change]},
    }
    metrics.reported(("models", "coder"), CodeModelStatus(), CodeModelStatus.model_validate(status))
    loop.close()
    assert metrics_of(metrics.registry) == {name for name in rows(METRICS) if name.startswith(OF_OPERATOR)}


def test_every_metric_is_explained_with_its_labels(metrics: Metrics, app: Any) -> None:
    app.test_client().get("/health")
    assert metrics_of(metrics.registry) == {
        name
        for name in rows(METRICS)
        if name.startswith(("`codemodel_", "`llamacpp:", "`vllm:")) and not name.startswith(OF_OPERATOR)
    }


# --- flags, variables and exit codes


def help_of_operator() -> None:
    parse_operator_settings(["--help"], {})


def help_of_server() -> None:
    parse_settings(["--help"], {})


def help_of_fetch() -> None:
    fetch.main()


@pytest.mark.parametrize(
    ("helping", "path"), [(help_of_operator, DEPLOY), (help_of_server, SERVER), (help_of_fetch, SERVER)]
)
def test_every_flag_is_explained(
    helping: Callable[[], None],
    path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["codemodel-fetch", "--help"])
    with pytest.raises(SystemExit):
        helping()
    flags = set(re.findall(r"(?<![\w-])--[a-z0-9-]+", capsys.readouterr().out)) - {"--help"}
    assert flags
    assert {code(flag) for flag in flags} <= {code(flag) for flag in named(path)}


def variables(package: Any) -> set[str]:
    """The environment variables that a package reads by name."""
    found = set()
    for module in modules(package):
        for node in ast.walk(module):
            match node:
                case (
                    ast.Call(
                        func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(name)), *_]
                    )
                    | ast.Subscript(value=owner, slice=ast.Constant(value=str(name)))
                ):
                    if re.search(r"\benviron(ment)?$", ast.unparse(owner)):
                        found.add(name)
    return found


def test_every_variable_is_explained() -> None:
    for_the_operator = variables(codemodel_operator)
    of_wsgi = {"PATH_INFO", "REQUEST_METHOD", "REMOTE_ADDR", "gunicorn.socket"}
    for_the_server = (variables(codemodel_server) | variables(codemodel_delivery)) - of_wsgi
    assert {"NAMESPACES", "WORKERS"} <= for_the_operator
    assert {"POD_NAME", "TERMINATION_LOG"} <= for_the_server
    assert for_the_operator <= named(DEPLOY)
    assert for_the_server <= named(SERVER)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_setting_of_the_server_is_in_the_table_with_its_variable_and_default(option: Any) -> None:
    _, variable, default, _ = rows(SERVER)[code(f"--{option.name}")]
    assert variable == code(option.variable)
    assert default == ("none" if option.default is None else code(str(option.default)))


@pytest.mark.parametrize("flag", ["server-image", "workers", "log-format", "liveness-port"])
def test_a_setting_of_the_operator_is_in_the_table_with_its_default(flag: str) -> None:
    key = flag.replace("-", "_")
    default = getattr(parse_operator_settings([], {}), key)
    assert rows(DEPLOY)[code(f"--{flag}")][1:3] == [code(key.upper()), code(str(default))]


def test_every_exit_code_of_fetch_is_in_the_table() -> None:
    table = {row[1].strip("`"): row[0] for row in table_rows(SERVER) if row[0] in map(str, range(10, 100))}
    assert table == {name: str(status) for name, status in failures_of_a_download().items()}


def test_every_exit_code_that_fetch_itself_tells_of_is_in_the_table() -> None:
    told = re.findall(r"\b[0-9]+\b", str(fetch._parser().epilog))
    table = {number for row in table_rows(SERVER) for number in row[0].split(", ")}
    assert {"0", "2", *told} <= table


def test_every_exit_code_of_the_server_is_told() -> None:
    text = SERVER.read_text(encoding="utf-8")
    sentence = next(line for line in text.splitlines() if line.startswith("The process ends with 0"))
    assert f"{_USAGE_ERROR} after a wrong setting" in sentence
    assert f"{_WORKER_FAILED} if the model cannot be loaded" in sentence


def test_every_right_of_the_operator_is_explained() -> None:
    role = yaml.safe_load((ROOT / "deploy" / "base" / "clusterrole.yaml").read_text(encoding="utf-8"))
    text = "\n".join(" ".join(row[:2]) for row in table_rows(DEPLOY))
    for rule in role["rules"]:
        for resource in rule["resources"]:
            row = next(
                line for line in text.splitlines() if re.search(rf"(^|[ ,]){re.escape(resource)}\b", line)
            )
            verbs = row.replace("the same", "get, list, watch, create, patch")
            assert set(rule["verbs"]) == set(
                re.findall(r"\b(get|list|watch|create|patch|delete)\b", verbs)
            ), resource


# --- links, commands and examples


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as they are made on the web: lower case, words joined by hyphens."""
    headings = re.findall(r"^#+ +(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = Path(os.path.normpath(path.parent / file)) if file else path
        assert there.exists(), f"{path.name} links to {target}"
        assert not anchor or anchor in anchors(there), f"{path.name} links to {target}"


def commands(path: Path) -> str:
    """All code of a document: fenced blocks that are not data, and what is in backticks."""
    return "\n".join((*fenced(path, "", "sh", "bash"), *named(path)))


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_target_of_make_exists(path: Path) -> None:
    targets = set(
        re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert set(re.findall(r"(?:^|\s)make ([a-z][a-z0-9-]*)", commands(path), re.MULTILINE)) <= targets


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_codemodel_in_an_example_is_valid(path: Path) -> None:
    for block in fenced(path, "yaml"):
        for manifest in yaml.safe_load_all(block):
            if isinstance(manifest, dict) and manifest.get("kind") == "CodeModel":
                assert isinstance(spec := parse_spec(manifest), CodeModelSpec), spec
                assert known(manifest["spec"], structural(CodeModelSpec))


def known(given: Schema, schema: Schema) -> bool:
    """Whether every field exists: an unknown one is dropped by the models, not refused."""
    properties = schema.get("properties", {})
    return all(
        name in properties and (not isinstance(value, dict) or known(value, properties[name]))
        for name, value in given.items()
    )
