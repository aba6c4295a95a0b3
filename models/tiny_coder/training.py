"""Training: what is learned from, in which steps, and what is kept to go on after an interruption."""

import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from models.tiny_coder import tokens
from models.tiny_coder.examples import Batch, Examples
from models.tiny_coder.network import Matrix, Shape, Weights, initial, logits
from models.tiny_coder.plan import Phase, Plan

SEED = 20261125
_WEIGHTS = "weights/"
"""Begins the names of the weights in a checkpoint."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A step that is done.

    Attributes:
        step: its number, from 1.
        loss: bits of a token, mean of the step.
        seconds: since training began, all runs together.
        tokens_per_second: of this step.
    """

    step: int
    loss: float
    seconds: float
    tokens_per_second: float


def optimizer(plan: Plan) -> optax.GradientTransformation:
    """Return Muon for the matrices and Adam for embedding and norms."""

    rates = jnp.asarray(plan.rates())
    # (outputs, inputs), the other way round than Muon's default.
    as_matrix = optax.contrib.MuonDimensionNumbers(reduction_axis=1, output_axis=0)

    def matrices(weights: Any) -> Any:
        return {
            name: as_matrix if name.startswith("blk.") and "norm" not in name else None for name in weights
        }

    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.contrib.muon(
            lambda step: plan.matrix_rate * rates[step],
            weight_decay=0.01,
            adam_b2=0.95,
            adam_learning_rate=lambda step: plan.other_rate * rates[step],
            muon_weight_dimension_numbers=matrices,
        ),
    )


class Trainer:
    """Weights and what the optimizer keeps of them; a core each takes a part of every step's rows."""

    def __init__(self, plan: Plan, checkpoint: Path) -> None:
        self._plan = plan
        self._checkpoint = checkpoint
        self._mesh = Mesh(jax.devices(), ("core",))
        self._optimizer = optimizer(plan)
        self.weights = initial(plan.shape, jax.random.key(SEED))
        self._state = self._optimizer.init(self.weights)
        self.step = 0
        self.seconds = 0.0
        if checkpoint.exists():
            self._load()
        everywhere = NamedSharding(self._mesh, PartitionSpec())
        self.weights, self._state = jax.device_put((self.weights, self._state), everywhere)
        self._learn = self._compiled()

    def run(self, examples: Examples, save_seconds: float = 120.0) -> Iterator[Progress]:
        """Do the steps that are left; what is learned is saved now and then, and at the end.

        Args:
            examples: to learn from.
            save_seconds: how often it is saved.
        """
        saved = time.monotonic()
        while self.step < self._plan.steps:
            phase = self._plan.phase(self.step)
            batch = examples.batch(self.step, phase.rows, phase.length + 1, phase.mix)
            began = time.monotonic()
            counts = counts_of(batch, phase)[:, 1:]
            self.weights, self._state, loss = self._learn(
                self.weights, self._state, self._spread(batch.ids), self._spread(counts)
            )
            bits = float(loss) / float(np.log(2))
            took = time.monotonic() - began
            self.step += 1
            self.seconds += took
            if time.monotonic() - saved > save_seconds or self.step == self._plan.steps:
                self._save()
                saved = time.monotonic()
            yield Progress(self.step, bits, self.seconds, counts.size / took)

    def account(self) -> dict[str, object]:
        """Return what was done, in words and numbers."""
        plan = self._plan
        return {
            "plan": asdict(plan),
            "steps": self.step,
            "tokens": plan.tokens(self.step),
            "parameters": sum(value.size for value in self.weights.values()),
            "hours": round(self.seconds / 3600, 2),
            "cores": len(jax.devices()),
            "python": platform.python_version(),
            "jax": jax.__version__,
            "optax": optax.__version__,
        }

    def _spread(self, rows: npt.NDArray[Any]) -> Array:
        return jax.device_put(rows, NamedSharding(self._mesh, PartitionSpec("core")))

    def _compiled(self) -> Callable[[Weights, Any, Array, Array], tuple[Weights, Any, Array]]:
        def loss(weights: Weights, rows: Array, counts: Array) -> tuple[Array, Array]:
            said = logits(weights, rows[:, :-1], self._plan.shape)
            lost = optax.softmax_cross_entropy_with_integer_labels(said, rows[:, 1:])
            return jnp.sum(lost * counts) / jnp.sum(counts), jnp.mean(lost)

        def gradient(weights: Weights, rows: Array, counts: Array) -> tuple[Array, Weights]:
            (_, value), gradients = jax.value_and_grad(loss, has_aux=True)(weights, rows, counts)
            means: tuple[Array, Weights] = jax.lax.pmean((value, gradients), "core")
            return means

        parallel = jax.shard_map(
            gradient,
            mesh=self._mesh,
            in_specs=(PartitionSpec(), PartitionSpec("core"), PartitionSpec("core")),
            out_specs=PartitionSpec(),
            check_vma=False,
        )

        def learn(weights: Weights, state: Any, rows: Array, counts: Array) -> tuple[Weights, Any, Array]:
            value, gradients = parallel(weights, rows, counts)
            updates, state = self._optimizer.update(gradients, state, weights)
            return optax.apply_updates(weights, updates), state, value

        compiled: Callable[[Weights, Any, Array, Array], tuple[Weights, Any, Array]]
        compiled = jax.jit(learn, donate_argnums=(0, 1))
        return compiled

    def _save(self) -> None:
        state = {f"state/{index}": leaf for index, leaf in enumerate(jax.tree.leaves(self._state))}
        part = self._checkpoint.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file,
                shape=json.dumps(asdict(self._plan.shape)),
                step=self.step,
                seconds=self.seconds,
                **{f"{_WEIGHTS}{name}": value for name, value in self.weights.items()},
                **state,
            )
        part.replace(self._checkpoint)

    def _load(self) -> None:
        weights, shape = trained(self._checkpoint)
        if shape != self._plan.shape:
            raise ValueError(
                f"{self._checkpoint} is of another model ({shape}): remove it, or name another folder"
            )
        self.weights = {name: jnp.asarray(value) for name, value in weights.items()}
        with np.load(self._checkpoint) as kept:
            self.step, self.seconds = int(kept["step"]), float(kept["seconds"])
            leaves, tree = jax.tree.flatten(self._state)
            states = [jnp.asarray(kept[f"state/{index}"]) for index in range(len(leaves))]
        self._state = jax.tree.unflatten(tree, states)


def counts_of(batch: Batch, phase: Phase) -> npt.NDArray[np.float32]:
    """Return how much each token counts, (rows, length)."""
    ends = batch.filled & (batch.ids == tokens.SPECIAL.index(tokens.END_OF_TEXT))
    counts = np.where(batch.filled, phase.emphasis, 1.0) * np.where(ends, phase.ending, 1.0)
    return counts.astype(np.float32)


def trained(checkpoint: Path) -> tuple[dict[str, Matrix], Shape]:
    """Return the weights that a checkpoint has, and the model's shape.

    Raises:
        FileNotFoundError: there is none.
    """
    if not checkpoint.exists():
        raise FileNotFoundError(f"{checkpoint} is not there: `train` makes it")
    with np.load(checkpoint) as kept:
        weights = {
            name.removeprefix(_WEIGHTS): kept[name] for name in kept.files if name.startswith(_WEIGHTS)
        }
        return weights, Shape(**json.loads(str(kept["shape"])))
