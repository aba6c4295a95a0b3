"""``python -m e2e.cluster up|down|status``: the cluster's one command line."""

import argparse
import fcntl
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster import base_image, docker, images, kind, settings, workloads
from e2e.cluster.steps import ENDING, StepError, say


def up() -> None:
    """Bring up everything, to a served model, and print its URL and an answer."""
    started = time.monotonic()
    docker.ensure()
    base_image.ensure()
    created = kind.ensure()
    images.prepare_hub()
    images.build()
    loaded = images.load()
    workloads.deploy(set() if created else loaded)
    answer = workloads.ask()
    say(f"\n{workloads.codemodels()}\n")
    say(f"{settings.ENDPOINT} answers (replica {answer.replica}, {answer.seconds:.2f} s):")
    say(f"  {workloads.PROMPT}\n\n{textwrap.indent(answer.text, '  ')}")
    say(f"\nOpen {settings.ENDPOINT} in a browser, or ask it yourself:")
    say(f"  curl -s {settings.ENDPOINT}/chat -H 'Content-Type: application/json' \\")
    say(f'    -d \'{{"prompt": "{workloads.PROMPT}", "max_tokens": {workloads.MAX_TOKENS}}}\'')
    say(f"Up in {time.monotonic() - started:.0f} s; `make down` removes it.")


def down() -> None:
    """Remove the cluster, and the Docker daemon if we started it. What was built stays cached."""
    if docker.use_if_running():
        kind.remove()
        docker.remove()
    say(f"Removed. Images and binaries stay in {settings.CACHE}; delete that folder to free the space.")


def status() -> None:
    """Show where Docker, the node and the CodeModels stand."""
    if not docker.use_if_running():
        say("No Docker daemon answers: the cluster is down (`make up`).")
        return
    say(f"docker   {os.environ.get('DOCKER_HOST', 'the default')}")
    shown = subprocess.run(
        [
            "docker",
            "ps",
            "--filter",
            f"name={settings.NODE_CONTAINER}",
            "--format",
            "{{.Names}}  {{.Status}}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    say(f"node     {shown.stdout.strip() or 'none (`make up`)'}")
    if shown.stdout.strip():
        say(workloads.codemodels())


def env() -> None:
    """Print the shell lines that point docker, kind and kubectl at the cluster."""
    docker.use_if_running()
    for name in ("DOCKER_HOST",):
        if value := os.environ.get(name):
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    sys.stdout.write(f"export PATH={shlex.quote(str(settings.LINKS))}:$PATH\n")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two bring-ups at once would undo each other's work; the lock goes when its process goes."""
    settings.CACHE.mkdir(parents=True, exist_ok=True)
    with Path(settings.CACHE, "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another bring-up or removal is under way; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


COMMANDS = {"up": up, "down": down, "status": status, "env": env}


def main() -> int:
    """The command line; returns the exit status (130 after Ctrl-C)."""
    parser = argparse.ArgumentParser(prog="python -m e2e.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        summary = (function.__doc__ or "").splitlines()[0]
        commands.add_parser(name, help=summary, description=summary)
    command = parser.parse_args().command
    for ending in ENDING:  # as clean as Ctrl-C: what a step has under way ends with us
        signal.signal(ending, signal.default_int_handler)
    try:
        if command in {"up", "down"}:
            with one_at_a_time():
                COMMANDS[command]()
        else:
            COMMANDS[command]()
    except StepError as error:
        sys.stderr.write(f"{error.report()}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Run it again to go on: what is finished is kept.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
