"""sable.nn.initializers: each gives a function of (key, shape, dtype)."""

from __future__ import annotations

import numpy as np

from ..table import Key, Using, add, call

_VARIANCE = [
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "xavier_normal",
    "xavier_uniform",
]
_K = Key(5)


def _made(name: str, *args, **kwargs):
    """The initializer, in an argument of tree_map: the row's function has to be one of the module."""
    return _shaped((3, 4), name, *args, **kwargs)


def _shaped(shape: tuple[int, ...], name: str, *args, **kwargs):
    return Using(lambda jax: lambda key: getattr(jax.nn.initializers, name)(*args, **kwargs)(key, shape, np.float32))


for _name in _VARIANCE:
    add("tree_util.tree_map", call(_made(_name), _K), call(_made(_name, in_axis=0, out_axis=1), _K), rtol=1e-4)
for _name in ["normal", "uniform", "truncated_normal"]:
    add("tree_util.tree_map", call(_made(_name), _K), call(_made(_name, 0.5), _K), rtol=1e-4)
add(
    "tree_util.tree_map",
    call(_made("constant", 2.0), _K),
    call(_made("variance_scaling", 2.0, "fan_avg", "normal"), _K),
    call(_made("variance_scaling", 2.0, "fan_in", "uniform", in_axis=0, dtype=np.complex64), _K),
    rtol=1e-4,
)
add(
    "tree_util.tree_map",
    call(_shaped((2, 2, 3), "orthogonal", 2.0), _K),
    call(_shaped((3, 2, 2), "orthogonal", column_axis=0), _K),
    call(_shaped((0, 2), "orthogonal"), _K),
    call(_shaped((3,), "orthogonal"), _K),
    call(_shaped((3, 2, 2, 3), "delta_orthogonal"), _K),
    call(_shaped((3, 3, 2), "delta_orthogonal"), _K),
    rtol=1e-4,
)
for _name in ["ones", "zeros"]:
    add(f"nn.initializers.{_name}", call(_K, (2, 3)), call(_K, (2,), np.int32))
