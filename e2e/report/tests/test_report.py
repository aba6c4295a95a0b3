"""The whole report: what is in it, what is not, and what is marked."""

import base64
import json
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from e2e.load.results import Results
from e2e.report import prices
from e2e.report.cli import main
from e2e.report.making import GRAPHS, make
from e2e.report.prices import DEFAULT
from e2e.report.render import html as html_of
from e2e.report.render import markdown as markdown_of
from e2e.report.runs import FILES, read
from e2e.report.sections.whole import compose
from e2e.report.tests.making import autoscale, benchmark, put, soak, spike, stress, timeline, write_all
from e2e.timeline.steps import write

PNG = b"\x89PNG\r\n\x1a\n"


class Page(HTMLParser):
    """What a browser would load and read out, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.anchors: set[str | None] = set()
        self.links: set[str | None] = set()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.tags.append(tag)
        self.anchors.add(found.get("id"))
        if tag == "a":
            self.links.add(found.get("href"))
        if tag == "img":
            self.images.append(found)
        self.loads += [found[name] or "" for name in ("src", "data", "srcset", "poster") if name in found]
        if tag in ("link", "script", "iframe", "object"):
            self.loads.append(tag)


def drawn(folder: Path) -> tuple[str, str]:
    """The Markdown and the HTML of a results folder, with its graphs beside them in `out`."""
    make(folder, folder / "out", DEFAULT, lambda _: None)
    return (folder / "out/report.md").read_text(), (folder / "out/report.html").read_text()


def written(folder: Path) -> tuple[str, str]:
    """The same without the graphs, which take their time."""
    made = compose(read(folder), prices.read(DEFAULT))
    return markdown_of(made), html_of(made, {picture.file: b"" for picture in made.pictures})


def rows(text: str) -> dict[str, list[str]]:
    """The rows of a report's tables by their first cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]
    return {row[0]: row for row in reversed(cells)}  # the first of a name is that of its own section


def test_the_page_needs_no_other_file_and_has_every_graph(tmp_path: Path) -> None:
    _, html = drawn(write_all(tmp_path))
    page = Page(html)
    assert len(page.images) == len(GRAPHS)
    files = {(tmp_path / "out" / name).read_bytes() for name in GRAPHS}
    embedded = set()
    for source in page.loads:
        kind, _, content = source.partition(",")
        assert kind == "data:image/png;base64"
        embedded.add(base64.b64decode(content))
    assert embedded == files
    assert all(content.startswith(PNG) for content in files)
    assert all(len(image["alt"] or "") > 40 for image in page.images)
    assert {link.removeprefix("#") for link in page.links if link} <= page.anchors
    assert "@import" not in html
    assert "url(" not in html


def test_the_markdown_shows_the_graphs_beside_it(tmp_path: Path) -> None:
    markdown, _ = written(write_all(tmp_path))
    assert set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", markdown)) == set(GRAPHS)


def test_the_same_results_make_the_same_files(tmp_path: Path) -> None:
    write_all(tmp_path)
    drawn(tmp_path)
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    drawn(tmp_path)
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(("number", "name"), [(0, "light"), (1, "heavy")])
def test_figures_are_those_of_the_raw_requests(tmp_path: Path, number: int, name: str) -> None:
    """Recomputed here from the JSON alone."""
    markdown, _ = written(write_all(tmp_path))
    raw = json.loads((tmp_path / "benchmark_results.json").read_text())
    mine = [one for one in raw["requests"] if one["phase"] == number]
    good = [one for one in mine if one["status"] == 200]
    seconds = (
        max(raw["phases"][number]["end"], *(one["ended"] for one in good)) - raw["phases"][number]["begin"]
    )

    def rank(percent: int, values: list[float]) -> float:
        return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]

    latencies = [one["ended"] - one["scheduled"] for one in good]
    first = [one["first_token"] - one["scheduled"] for one in good]
    later = [1000 * (one["last_token"] - one["first_token"]) / (one["tokens"] - 1) for one in good]
    kept = [one for one in zip(first, later, strict=True) if one[0] <= 2 and one[1] <= 200]
    row = rows(markdown)[name]
    assert row[2] == str(len(mine))
    assert [float(cell.removesuffix(" %")) for cell in row[3:]] == pytest.approx(
        [
            100 * len(good) / len(mine), len(good) / seconds, sum(one["tokens"] for one in good) / seconds,
            rank(50, latencies), rank(90, latencies), rank(99, latencies), rank(50, first), rank(99, first),
            rank(50, later), 100 * len(kept) / len(mine),
        ],
        rel=0.005,
    )  # fmt: skip


def test_the_findings_of_every_scenario_are_in_the_summary(tmp_path: Path) -> None:
    markdown, _ = written(write_all(tmp_path))
    summary = markdown.split("## Summary")[1].split("\n## ")[0]
    assert "Benchmark, light, 2 clients: 1.67 answers/s" in summary
    assert "spike, 10 requests/s, poisson: 100 % answered, p99 1.00 s" in summary
    assert "The breaking point is 16 requests/s" in summary
    assert "Soak: steady" in summary
    assert (
        "Ready replicas of scaled: 1 → 2 → 1. From the metric's crossing to the first token of a new replica: 22.5 s."
        in summary
    )
    assert "a million tokens from" in summary
    assert "Not in this report" not in summary


def test_the_steps_of_the_autoscaler_are_a_table(tmp_path: Path) -> None:
    row = rows(written(write_all(tmp_path))[0])["1 → 2"]
    assert row[1:5] == ["scaled-b", "0.0", "5.0", "6.0"]
    assert row[-2:] == ["18.0", "22.5"]


def test_every_figure_has_the_command_that_measures_it_anew(tmp_path: Path) -> None:
    markdown, html = written(write_all(tmp_path))
    for part in markdown.split("![")[1:]:
        block = re.search(r"Measured by:\n\n```sh\n(.+?)```", part, re.DOTALL)
        assert block
        assert all(line.startswith(("codemodel-load run ", "make report")) for line in block[1].splitlines())
    assert html.count("Measured by:") == len(GRAPHS)


@pytest.mark.parametrize("scenario", FILES)
def test_a_scenario_that_was_not_run_is_left_out_with_the_command_that_runs_it(
    tmp_path: Path, scenario: str
) -> None:
    write_all(tmp_path)
    (tmp_path / FILES[scenario]).unlink()
    markdown, html = written(tmp_path)
    for text in (markdown, html):
        assert "Not in this report, as it was not run: " + scenario in text
    if scenario != "autoscale":  # that is run by `make report`, which the section of its recording tells
        assert f"the results folder has no {FILES[scenario]}" in markdown.replace("\\", "")
        assert f"codemodel-load run {scenario} --output RESULTS" in markdown


def test_without_a_recording_the_report_says_how_to_make_one(tmp_path: Path) -> None:
    put(tmp_path / "spike.json", spike())
    markdown, _ = written(tmp_path)
    assert "Scaling was not recorded" in markdown
    assert "make report" in markdown
    assert set(re.findall(r"\(([^)]+\.png)\)", markdown)) == {"spike.png", "success_rate.png"}


def test_a_recording_alone_is_a_report(tmp_path: Path) -> None:
    write(timeline(), tmp_path / "scaling.json")
    markdown, _ = drawn(tmp_path)
    assert "Ready replicas of scaled: 1 → 2 → 1" in markdown


def test_graphs_of_a_report_before_do_not_stay(tmp_path: Path) -> None:
    drawn(write_all(tmp_path))
    (tmp_path / "soak.json").unlink()
    drawn(tmp_path)
    assert not (tmp_path / "out/soak.png").exists()
    assert (tmp_path / "out/spike.png").exists()


@pytest.mark.parametrize(
    ("file", "made"),
    [
        ("benchmark_results.json", benchmark), ("spike.json", spike), ("stress.json", stress), ("soak.json", soak),
        ("autoscale.json", autoscale),
    ],
)  # fmt: skip
def test_an_unfinished_run_is_marked_wherever_it_is_shown(
    tmp_path: Path, file: str, made: Callable[[], Results]
) -> None:
    write_all(tmp_path)
    unfinished = made().model_copy(update={"finished": False})
    put(tmp_path / file, unfinished)
    markdown, html = written(tmp_path)
    scenario = unfinished.scenario
    assert html.count(f'<p class="caution">Not to be relied on: {scenario}: the run is unfinished.</p>') == 2
    figures = markdown.split("## Latency and throughput")[1].split("## What was not")[0]
    names = "|".join(re.escape(phase.name) for phase in unfinished.phases)
    own = re.compile(rf"\| \*?({scenario}: )?({names})[ *]")
    shown = [line for line in figures.splitlines() if own.match(line)]
    assert len(shown) >= len(unfinished.phases)
    assert all(re.match(r"\| \*[^|]+\(unfinished\)\* \|", line) for line in shown)
    assert "UTC (unfinished)" in rows(markdown)[scenario][1]


def test_an_invalid_load_is_marked_and_gives_no_price_in_the_summary(tmp_path: Path) -> None:
    put(tmp_path / "benchmark_results.json", benchmark(problems=("requests were sent late",)))
    markdown, html = drawn(tmp_path)
    assert "Not to be relied on: benchmark, heavy: invalid: requests were sent late." in markdown
    assert "*heavy (invalid)*" in markdown
    assert "*benchmark: heavy (invalid)*" in markdown
    assert '<tr class="doubtful"><td>heavy (invalid)</td>' in html
    assert "benchmark, light)." in markdown.split("a million tokens from")[1].splitlines()[0]


def test_what_others_have_written_is_text_and_no_markup(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>|`*[x](y)"
    put(tmp_path / "benchmark_results.json", benchmark(problems=(bad,)))
    markdown, html = written(tmp_path)
    assert "script" not in Page(html).tags
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>" not in markdown.replace("\\<", "")
    assert r"\|\`\*\[x\](y)" in markdown


def test_a_run_that_was_stopped_before_its_first_request_is_told_of(tmp_path: Path) -> None:
    for file, made in (
        ("soak.json", soak()),
        ("stress.json", stress()),
        ("benchmark_results.json", benchmark()),
    ):
        put(
            tmp_path / file,
            made.model_copy(update={"phases": [], "requests": [], "samples": [], "finished": False}),
        )
    markdown, _ = drawn(tmp_path)
    assert markdown.count("Not to be relied on: soak: the run is unfinished.") == 2


def test_a_target_that_answers_nothing_has_a_report(tmp_path: Path) -> None:
    for file, made in (
        ("soak.json", soak()),
        ("stress.json", stress()),
        ("benchmark_results.json", benchmark()),
        ("spike.json", spike()),
    ):
        refused = [
            one.model_copy(update={
                "status": None, "error": "refused", "first_token": None, "last_token": None, "tokens": None, "gaps": [],
            })
            for one in made.requests
        ]  # fmt: skip
        put(tmp_path / file, made.model_copy(update={"requests": refused, "samples": []}))
    markdown, _ = drawn(tmp_path)
    assert "nothing answered" in markdown
    assert "No load with answers was measured" in markdown


def test_the_command_names_its_files_and_ends_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "spike.json", spike())
    assert main([str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert [Path(line).name for line in told.out.splitlines()] == [
        "report.html", "report.md", "success_rate.png", "spike.png",
    ]  # fmt: skip
    assert all(Path(line).exists() for line in told.out.splitlines())
    assert "drawing 1 of 2: success_rate.png" in told.err


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "nowhere is no folder" in capsys.readouterr().err
    put(tmp_path / "spike.json", spike())
    (tmp_path / "file").touch()
    assert main([str(tmp_path), "--output", str(tmp_path / "file")]) == 2
    assert "give another folder with --output" in capsys.readouterr().err
    assert main([str(tmp_path), "--prices", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml cannot be read as prices" in capsys.readouterr().err


def test_phases_of_all_runs_are_read(tmp_path: Path) -> None:
    """Guards the tests above: what they look for is there."""
    assert sum(len(run.parts) for run in read(write_all(tmp_path)).runs.values()) == 2 + 3 + 7 + 1 + 1
