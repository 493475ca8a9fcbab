"""Train a small network on real handwritten digits, look at it, deploy it, and check the deployed file.

    make run            (or: python examples/digits.py [--platform vulkan] [--epochs N] [--output DIR])

The data are scikit-learn's 1,797 handwritten digits of 8x8 pixels (from the UCI machine-learning repository).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import matplotlib
import numpy as np

import sable as jax
import sable.numpy as jnp
from sable import aot
from sable.core.statistics import STATISTICS

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HIDDEN = 128
BATCH = 64
LEARNING_RATE = 0.1
MOMENTUM = 0.9
TARGET_ACCURACY = 0.97


def load_digits(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images in [0, 1] as float32 rows of 64, labels as int32; a fifth is held out."""
    from sklearn.datasets import load_digits as load

    data = load()
    order = np.random.default_rng(seed).permutation(len(data.target))
    images = (data.data[order] / 16.0).astype(np.float32)
    labels = data.target[order].astype(np.int32)
    held_out = len(labels) // 5
    return images[held_out:], labels[held_out:], images[:held_out], labels[:held_out]


def init_params(key) -> dict:
    """Two layers, He-initialised."""
    first, second = jax.random.split(key)
    return {
        "w1": jax.random.normal(first, (64, HIDDEN)) * jnp.sqrt(2.0 / 64),
        "b1": jnp.zeros(HIDDEN),
        "w2": jax.random.normal(second, (HIDDEN, 10)) * jnp.sqrt(2.0 / HIDDEN),
        "b2": jnp.zeros(10),
    }


def logits(params: dict, images):
    """Scores of the ten digits for one image or for many."""
    hidden = jax.nn.relu(images @ params["w1"] + params["b1"])
    return hidden @ params["w2"] + params["b2"]


def loss(params: dict, images, labels):
    """Mean cross entropy."""
    log_probabilities = jax.nn.log_softmax(logits(params, images))
    return -jnp.mean(jnp.take_along_axis(log_probabilities, labels[:, None], axis=1))


@jax.jit
def train_step(params: dict, velocity: dict, images, labels):
    """One step of gradient descent with momentum."""
    value, gradient = jax.value_and_grad(loss)(params, images, labels)
    velocity = jax.tree.map(lambda v, g: MOMENTUM * v - LEARNING_RATE * g, velocity, gradient)
    return jax.tree.map(lambda p, v: p + v, params, velocity), velocity, value


@jax.jit
def accuracy(params: dict, images, labels):
    """Share of images whose highest score is the right digit's."""
    return jnp.mean(jnp.argmax(logits(params, images), axis=1) == labels)


@jax.jit
def gradient_norms(params: dict, images, labels):
    """The norm of every example's own gradient: a gradient of one example, mapped over all."""

    def one(image, label):
        gradient = jax.grad(loss)(params, image[None], label[None])
        return jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(gradient)))

    return jax.vmap(one)(images, labels)


def progress(done: int, total: int, text: str) -> None:
    """A bar that is drawn over itself on a terminal, and once at the end elsewhere."""
    width = 30
    filled = width * done // total
    line = f"[{'#' * filled}{'.' * (width - filled)}] {done}/{total}  {text}"
    if sys.stdout.isatty():
        print(f"\r{line}", end="\n" if done == total else "", flush=True)
    elif done == total:
        print(line)


def train(params: dict, images: np.ndarray, labels: np.ndarray, epochs: int, seed: int = 1) -> tuple[dict, list[float]]:
    """Train on shuffled batches; the parameters and the loss of every step."""
    velocity = jax.tree.map(jnp.zeros_like, params)
    rng = np.random.default_rng(seed)
    losses: list[float] = []
    batches = len(labels) // BATCH
    for epoch in range(epochs):
        order = rng.permutation(len(labels))
        for batch in order[: batches * BATCH].reshape(batches, BATCH):
            params, velocity, value = train_step(params, velocity, images[batch], labels[batch])
            losses.append(float(value))
        progress(epoch + 1, epochs, f"loss {np.mean(losses[-batches:]):.4f}")
    return params, losses


def draw(path: Path, losses: list[float], images: np.ndarray, labels: np.ndarray, predicted: np.ndarray) -> None:
    """Loss curve, and some held-out digits with what the network says."""
    figure = plt.figure(figsize=(9, 4))
    left, right = figure.subfigures(1, 2, width_ratios=[1.3, 1])
    axes = left.subplots()
    axes.semilogy(losses, linewidth=0.8)
    axes.set(xlabel="step", ylabel="loss", title="training loss")
    wrong = np.flatnonzero(predicted != labels)[:4]
    shown = np.concatenate([wrong, np.setdiff1d(np.arange(16), wrong)[: 16 - len(wrong)]])
    for axes, i in zip(right.subplots(4, 4).flat, shown, strict=True):
        axes.imshow(images[i].reshape(8, 8), cmap="gray_r")
        axes.set_title(str(predicted[i]), fontsize=9, color="tab:green" if predicted[i] == labels[i] else "tab:red")
        axes.axis("off")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def run_deployed(module: Path, images: np.ndarray) -> np.ndarray:
    """The scores that `iree-run-module` computes from the file, without Sable and without our Python."""
    tool = shutil.which("iree-run-module") or str(Path(sysconfig.get_path("scripts")) / "iree-run-module")
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "images.npy", Path(folder) / "scores.npy"
        np.save(given, images)
        command = [tool, f"--module={module}", "--device=local-task", "--function=main", f"--input=@{given}"]
        subprocess.run([*command, f"--output=@{made}"], check=True, capture_output=True, timeout=120)
        return np.load(made)


def report(what: str, start: float) -> None:
    """A line of how long something took and what the compiler did meanwhile."""
    compiled = f"{STATISTICS.compiled} compiled, {STATISTICS.from_disk} from the disk cache"
    print(f"{what}: {time.perf_counter() - start:.2f} s  ({compiled})")


def main() -> None:
    """The whole job."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", default=None, help="cpu, vulkan or cuda")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--output", type=Path, default=Path.cwd())
    arguments = parser.parse_args()
    device = jax.devices(arguments.platform)[0]
    print(f"device: {device!r}")
    images, labels, held_images, held_labels = load_digits()
    print(f"data: {len(labels)} digits to learn from, {len(held_labels)} held out")

    params = jax.device_put(init_params(jax.random.key(0)), device if arguments.platform else None)
    text = train_step.lower(params, params, images[:BATCH], labels[:BATCH]).as_text()
    print(f"traced: one training step is {text.count(chr(10))} lines of StableHLO")

    start = time.perf_counter()
    train_step(params, jax.tree.map(jnp.zeros_like, params), images[:BATCH], labels[:BATCH])
    report("first step", start)
    start = time.perf_counter()
    params, losses = train(params, images, labels, arguments.epochs)
    steps = len(losses)
    print(f"training: {steps} steps in {time.perf_counter() - start:.2f} s")

    norms = np.asarray(gradient_norms(params, images[:256], labels[:256]))
    print(f"per-example gradients of 256 digits: median norm {np.median(norms):.2e}, largest {norms.max():.2e}")
    share = float(accuracy(params, held_images, held_labels))
    print(f"held-out accuracy: {share:.2%}")

    arguments.output.mkdir(parents=True, exist_ok=True)
    predicted = np.argmax(np.asarray(jax.jit(logits)(params, held_images)), axis=1)
    draw(arguments.output / "digits.png", losses, held_images, held_labels, predicted)

    module = arguments.output / "digits.vmfb"
    cpu_params = jax.device_put(params, jax.devices("cpu")[0])
    aot.save(lambda x: logits(cpu_params, x), (jax.ShapeDtypeStruct((10, 64), jnp.float32),), module)
    deployed = run_deployed(module, held_images[:10])
    ours = np.asarray(jax.jit(logits)(cpu_params, held_images[:10]))
    np.testing.assert_allclose(deployed, ours, rtol=1e-4, atol=1e-4)
    print(
        f"deployed: {module.name} ({module.stat().st_size / 1024:.0f} KiB) says {np.argmax(deployed, axis=1)}, as we do"
    )
    print(
        f"compiler: {STATISTICS.compiled} programs compiled, {STATISTICS.from_disk} from the disk cache, "
        f"{STATISTICS.compile_seconds:.2f} s; lowering {STATISTICS.lower_seconds:.2f} s"
    )
    print(f"wrote {arguments.output / 'digits.png'} and {module}")
    if share < TARGET_ACCURACY:
        sys.exit(f"held-out accuracy {share:.2%} is below {TARGET_ACCURACY:.0%}")


if __name__ == "__main__":
    main()
