"""Train tiny-coder, write it as GGUF, and measure it; each command goes on with what the one before has left."""

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path

import jax

from e2e.load.target import processor
from models.tiny_coder import card, corpus, export, lesson, tokens
from models.tiny_coder.bits import bits
from models.tiny_coder.examples import Examples
from models.tiny_coder.plan import SHORT, Plan
from models.tiny_coder.training import SEED, Progress, Trainer, trained
from models.tiny_coder.writing import answers, completions, fills, samples, writing

BUILD = Path("build/tiny-coder")
FOLDER = Path(__file__).parent
MODEL = FOLDER / "tiny-coder.gguf"


def main() -> None:
    """Run the command that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m models.tiny_coder", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train = commands.add_parser(
        "train", help="learn from this Python's library; goes on where it was interrupted"
    )
    train.add_argument("--short", action="store_true", help="a minute's training, to see that it works")
    written = commands.add_parser("export", help="write what was trained as GGUF: F16 and Q8_0")
    for command in (train, written):
        command.add_argument(
            "--folder", type=Path, default=BUILD, metavar="FOLDER", help=f"where training is kept ({BUILD})"
        )
    written.add_argument("--release", action="store_true", help="make it the model of this repository")
    commands.add_parser(
        "measure", help="measure the repository's model on held-out files; write its model card"
    )
    arguments = parser.parse_args()
    try:
        if arguments.command == "train":
            _train(arguments.folder, SHORT if arguments.short else Plan())
        elif arguments.command == "export":
            _export(arguments.folder, release=arguments.release)
        else:
            _measure()
    except (OSError, ValueError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "\nInterrupted; `train` goes on with what was saved last.\n")


def _train(folder: Path, plan: Plan) -> None:
    # A device for each core: JAX uses one for most of what a training step does.
    jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))
    folder.mkdir(parents=True, exist_ok=True)
    sources, lessons = corpus.read(), lesson.load()
    kept = folder / "tokenizer.json"
    if not kept.exists():
        print("Learning the tokenizer …", flush=True)
        texts = [source.text for source in sources if not source.held_out]
        tokens.learn([*texts, *(each.source for each in lessons)], plan.shape.vocabulary).save(str(kept))
    examples = Examples(tokens.load(kept), sources, lessons, SEED)
    trainer = Trainer(plan, folder / "checkpoint.npz")
    characters = sum(len(source.text) for source in sources if not source.held_out)
    print(f"{characters / 1e6:.1f} M characters; step {trainer.step} of {plan.steps} is done.", flush=True)
    path = folder / "training.csv"
    done = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    with path.open("w", encoding="utf-8") as log:
        # Steps after the last that was saved are done again.
        log.writelines(done[: trainer.step])
        for progress in trainer.run(examples):
            length = plan.phase(progress.step - 1).length
            print(
                f"{progress.step},{length},{progress.loss:.4f},{progress.seconds:.1f}", file=log, flush=True
            )
            if progress.step % 5 == 0 or progress.step == plan.steps:
                _show(progress, plan)
    account = {**trainer.account(), "processor": processor(), "corpus sha256": corpus.digest(sources)}
    (folder / "training.json").write_text(json.dumps(account, indent=2) + "\n", encoding="utf-8")


def _show(progress: Progress, plan: Plan) -> None:
    left = (plan.tokens(plan.steps) - plan.tokens(progress.step)) / progress.tokens_per_second
    print(
        f"step {progress.step} of {plan.steps}: {progress.loss:.3f} bits a token, "
        f"{progress.tokens_per_second:.0f} tokens/s, {left / 60:.0f} min left",
        flush=True,
    )


def _export(folder: Path, *, release: bool) -> None:
    weights, shape = trained(folder / "checkpoint.npz")
    tokenizer = tokens.load(folder / "tokenizer.json")
    for form in export.FORMATS:
        path = folder / f"tiny-coder-{form.lower()}.gguf"
        digest = export.export(path, weights, shape, tokenizer, form)
        print(f"{digest}  {path}")
    if release:
        shutil.copy(folder / "tiny-coder-q8_0.gguf", MODEL)
        for name in ("training.csv", "training.json"):
            shutil.copy(folder / name, FOLDER)
        print(f"{MODEL} is the Q8_0 one now; `measure` writes its model card.")


def _measure() -> None:
    sources, lessons = corpus.read(), lesson.load()
    weights, shape, tokenizer = export.read(MODEL)
    figures = FOLDER / "figures.json"
    print("Reading what is held out …", flush=True)
    held_out = bits(weights, shape, tokenizer, sources)
    with writing(MODEL) as write:
        print("Writing …", flush=True)
        found = {
            "sha256": hashlib.sha256(MODEL.read_bytes()).hexdigest(),
            "bytes": MODEL.stat().st_size,
            "corpus sha256": corpus.digest(sources),
            "bits": held_out,
            "completions": completions(write, sources),
            "fills": fills(write, sources),
            "answers": answers(write, lessons),
            "samples": samples(write),
        }
    figures.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    training = json.loads((FOLDER / "training.json").read_text(encoding="utf-8"))
    (FOLDER / "README.md").write_text(card.render(found, training), encoding="utf-8")
    print(f"{figures} and README.md beside it are written.")


if __name__ == "__main__":
    main()
