"""Regenerate tests/tools/stablehlo: programs as JAX lowers them, with JAX's values and gradients.

Run by hand (`python -m tests.tools.make_stablehlo`) where JAX is installed; the tests read the files only.
"""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).with_name("stablehlo")


def programs() -> dict:
    """name -> (function of arrays to a scalar, arguments, argnums of the gradient)."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax

    draw = np.random.default_rng(0)

    def normal(*shape: int):
        return draw.normal(size=shape).astype(np.float32)

    def recurrent(w, xs):
        def step(c, x):
            c = jnp.tanh(w @ c + x)
            return c, jnp.sum(c)

        c, ys = lax.scan(step, jnp.ones(3), xs)
        return jnp.sum(c**2) + jnp.mean(ys)

    def classifier(w1, w2, x, labels):
        logits = jax.nn.relu(x @ w1) @ w2
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))

    def indexing(x, i):
        y = x[i] * 2.0
        z = lax.cond(i > 2, lambda v: jnp.sin(v), lambda v: v * v, y)
        at = jnp.zeros(5).at[i].add(z)
        z = lax.fori_loop(0, 4, lambda k, c: c * 0.5 + at[k], z)
        steps = lax.while_loop(lambda s: s[0] < 3.0, lambda s: (s[0] + 1.0, s[1] * 2), (0.0, i))[1]
        return z + steps + jnp.sum(jnp.sort(x)[-2:] ** 3) + jnp.max(x)

    def special(x):
        return jnp.sum(lax.erf(x) * jax.nn.gelu(x) + jnp.logaddexp(x, 0.0) - lax.lgamma(x + 4.0))

    labels = np.array([0, 2, 1, 1, 0, 2], np.int32)
    return {
        "recurrent": (recurrent, (normal(3, 3), normal(4, 3)), (0, 1)),
        "classifier": (classifier, (normal(4, 5), normal(5, 3), normal(6, 4), labels), (0, 1, 2)),
        "indexing": (indexing, (normal(6), np.int32(3)), (0,)),
        "special": (special, (normal(5),), (0,)),
    }


def main() -> None:
    """Write every program's text and values."""
    import jax
    import numpy as np

    for name, (function, arguments, argnums) in programs().items():
        (FOLDER / f"{name}.mlir").write_text(jax.jit(function).lower(*arguments).as_text())
        value, gradients = jax.value_and_grad(function, argnums)(*arguments)
        record = {
            "arguments": [{"dtype": str(a.dtype), "values": np.asarray(a).tolist()} for a in arguments],
            "argnums": argnums,
            "value": float(value),
            "gradients": [np.asarray(g).tolist() for g in gradients],
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
