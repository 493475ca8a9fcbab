"""Mean and spread of velocities that are measured with errors, sampled by emcee: op by op, compiled, and all walkers at once.

python examples/seeds/sampling.py [FOLDER FOR CHARTS]
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import emcee
import numpy as np
from shared import chart, run

import sable as jax
import sable.numpy as jnp

WALKERS = 20
RNG = np.random.default_rng(150)
ERRORS = RNG.uniform(0.5, 1.5, 1000)
VELOCITIES = 150 + 20 * RNG.normal(size=1000) + ERRORS * RNG.normal(size=1000)


def log_likelihood(parameters, velocities, errors):
    """Each velocity is normal, with the spread and its own error."""
    mean, spread = parameters
    return jnp.sum(jax.scipy.stats.norm.logpdf(velocities, mean, jnp.sqrt(spread**2 + errors**2)))


def log_prior(parameters):
    """Uniform: a mean from 0 to 200, a spread from 0 to 100."""
    return jnp.sum(jax.scipy.stats.uniform.logpdf(parameters, jnp.zeros(2), jnp.array([200.0, 100.0])))


def log_posterior(parameters, velocities, errors):
    """Up to a constant."""
    return log_likelihood(parameters, velocities, errors) + log_prior(parameters)


def sample(name: str, posterior: Callable, steps: int, **options) -> np.ndarray:
    """A chain (steps, walkers, 2); prints how long an evaluation took."""
    sampler = emcee.EnsembleSampler(WALKERS, 2, posterior, args=(VELOCITIES, ERRORS), **options)
    sampler.random_state = np.random.RandomState(7).get_state()
    start = [130.0, 10.0] + 0.1 * np.random.RandomState(8).normal(size=(WALKERS, 2))
    began = time.perf_counter()
    sampler.run_mcmc(start, steps)
    seconds = time.perf_counter() - began
    print(f"{name}: {seconds / (steps * WALKERS) * 1e6:.0f} us an evaluation")
    return sampler.get_chain()


def main(folder: Path | None = None) -> None:
    """All of it."""
    first = sample("op by op", log_posterior, 20)
    compiled = jax.jit(log_posterior)
    compiled(np.array([130.0, 10.0]), VELOCITIES, ERRORS)
    chain = sample("compiled", compiled, 600)
    mapped = jax.jit(jax.vmap(log_posterior, in_axes=(0, None, None)))
    mapped(np.ones((WALKERS // 2, 2)), VELOCITIES, ERRORS)
    together = sample("all walkers at once", mapped, 600, vectorize=True)
    print("the same chains:", np.allclose(first, chain[:20], atol=1), np.allclose(chain[:20], together[:20], atol=1))
    for each in (chain, together):
        kept = each[200:].reshape(-1, 2)
        (mean, spread), errors = kept.mean(axis=0), kept.std(axis=0)
        print(f"mean {mean:.0f} +- {errors[0]:.1f}, spread {spread:.0f} +- {errors[1]:.1f}")
    slope = jax.grad(log_posterior)(chain[200:].reshape(-1, 2).mean(axis=0), VELOCITIES, ERRORS)
    print("the gradient is small there:", bool(jnp.all(jnp.abs(slope) < 1)))
    if folder is not None:
        curves = [(np.arange(len(chain)), chain[:, k, 0], f"walker {k}") for k in range(3)]
        chart(folder / "chains.png", "mean velocity along the chains", curves)


if __name__ == "__main__":
    run(main, __doc__)
