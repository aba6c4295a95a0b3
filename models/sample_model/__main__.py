"""`python -m models.sample_model OUT` writes the sample model."""

import argparse
from pathlib import Path

from models.sample_model.build import build


def main() -> None:
    """Writes the model and says where and what it is."""
    parser = argparse.ArgumentParser(
        prog="python -m models.sample_model",
        description="Write the sample model: a GGUF of about 10 MiB, the same bytes on every machine.",
    )
    parser.add_argument(
        "out", type=Path, metavar="OUT", help="the file to write, for example build/sample-coder.gguf"
    )
    out = parser.parse_args().out
    print(f"{build(out)}  {out}")


if __name__ == "__main__":
    main()
