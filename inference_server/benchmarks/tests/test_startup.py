from pathlib import Path

from inference_server.benchmarks.startup import PYTHON, STAGES, start
from models.sample_model.build import build
from models.sample_model.weights import Shape


def test_every_stage_of_a_start_is_timed(tmp_path: Path) -> None:
    path = tmp_path / "small.gguf"
    build(path, Shape(layers=1))
    seconds = start(path, 1)
    assert [*seconds] == [PYTHON, *STAGES]
    assert min(seconds.values()) > 0
