"""Where a model may come from, and how far its download is."""

import pytest

from codemodel_operator.api.source import ClaimSource, ImageSource, mounted
from codemodel_operator.api.spec import CodeModelSpec
from codemodel_operator.progress import Progress, parse_progress

DIGEST = "0" * 64


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("pvc://models/m.gguf", ClaimSource("models", "m.gguf")),
        ("pvc://my.models-1/a/b/m.Q4_K_M.gguf", ClaimSource("my.models-1", "a/b/m.Q4_K_M.gguf")),
        ("oci://coder:1/m.gguf", ImageSource("coder:1", "m.gguf")),
        (
            "oci://hub:5000/org/coder:v1.0/models/m.gguf",
            ImageSource("hub:5000/org/coder:v1.0", "models/m.gguf"),
        ),
        (f"oci://hub/coder@sha256:{DIGEST}/m.gguf", ImageSource(f"hub/coder@sha256:{DIGEST}", "m.gguf")),
        ("https://hub/m.gguf", None),
        ("hf://org/repo/a/m.gguf@refs/pr/1", None),
    ],
)
def test_each_form_is_read(source: str, expected: ClaimSource | ImageSource | None) -> None:
    spec = CodeModelSpec.model_validate({"model": {"source": source}})
    assert spec.served is not None
    assert mounted(source) == spec.served.mounted == expected
    assert (spec.download is None) == (expected is not None)


@pytest.mark.parametrize(
    "source",
    [
        "pvc://models",
        "pvc://models/",
        "pvc://models/../secret",
        "pvc://models/a/./m.gguf",
        "pvc://Models/m.gguf",
        "oci://coder/m.gguf",
        "oci://coder:1/",
        "oci://coder:1/a/../m.gguf",
        "hf://org/m.gguf",
        "hf://org/repo/../m.gguf",
        "file:///m.gguf",
        "https://user:password@hub/m.gguf",
        "pvc://models/m.gguf\n",
    ],
)
def test_what_is_none_of_them_is_refused_with_the_forms_there_are(source: str) -> None:
    with pytest.raises(ValueError, match=r"write https://host/file.*pvc://claim/file"):
        CodeModelSpec.model_validate({"model": {"source": source}})


def test_a_checksum_that_nobody_would_check_is_refused() -> None:
    for more in ({"sha256": DIGEST}, {"secretRef": {"name": "token"}}):
        with pytest.raises(ValueError, match="pin an oci:// image by its digest"):
            CodeModelSpec.model_validate({"model": {"source": "pvc://models/m.gguf", **more}})


def test_progress_is_the_last_line_that_has_bytes() -> None:
    log = (
        '{"event": "progress", "bytes": 10, "total": 1000}\n'
        '{"event": "progress", "bytes": 255, "total": 1000}\n'
        '{"event": "retry", "message": "the connection broke off"}\n'
        "not JSON\n[1]\n"
    )
    assert parse_progress(log) == Progress(250, 1000)
    assert str(Progress(1 << 30, 4 << 30)) == "1.00 of 4.00 GiB (25 %)"


def test_an_unknown_size_and_an_empty_log() -> None:
    assert parse_progress('{"bytes": 100000000, "total": null}') == Progress(64 << 20, None)
    assert parse_progress('{"bytes": "many", "total": null}') is None
    assert parse_progress("") is None


def test_a_complete_download_is_not_rounded_down() -> None:
    assert parse_progress('{"bytes": 999, "total": 999}') == Progress(999, 999)
