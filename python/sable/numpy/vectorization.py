"""Functions of small arrays as functions of larger ones: `vectorize`, `apply_along_axis`, `apply_over_axes`."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core.array import Value
from sable.core.batching import batched_call
from sable.core.operands import array_argument, broadcast_shape, normal_axis
from sable.pytree import arrays

from .arrays import asarray
from .manipulation import expand_dims


def mapped(function: Callable, axes: Sequence[int | None], out_axis: int = 0) -> Callable:
    """A function of arrays, applied to all examples along an axis of each (None: the same for all)."""

    @functools.wraps(function)
    def call(*args: Value) -> Any:
        values, tree = arrays.flatten_call(args, {})
        (size, *_) = [x.shape[axis] for x, axis in zip(args, axes) if axis is not None]
        return batched_call(function, values, tree, list(axes), size, None, out_axis)

    return call


# ---- vectorize -----------------------------------------------------------------------------------------------------

_DIMENSIONS = r"\((?:\w+(?:,\w+)*)?\)"
_SIGNATURE = re.compile(rf"{_DIMENSIONS}(?:,{_DIMENSIONS})*->{_DIMENSIONS}(?:,{_DIMENSIONS})*")


def _parsed(signature: str) -> list[list[tuple[str, ...]]]:
    """Names of the dimensions of arguments and of results of "(n,m),(m)->(n)".

    Raises:
      ValueError: it is no signature.
    """
    if not _SIGNATURE.fullmatch(signature):
        raise ValueError(f"not a valid gufunc signature: {signature}")
    return [
        [tuple(re.findall(r"\w+", part)) for part in re.findall(_DIMENSIONS, side)] for side in signature.split("->")
    ]


def _match(sizes: dict[str, int], names: tuple[str, ...], shape: tuple[int, ...], where: str) -> None:
    """Note the sizes of named dimensions, the last ones of a shape.

    Raises:
      ValueError: one was noted with another size.
    """
    for name, n in zip(names, shape[len(shape) - len(names) :]):
        if sizes.setdefault(name, n) != n:
            raise ValueError(f"inconsistent size for core dimension {name!r}: {n} vs {sizes[name]} {where}")


def _checked(function: Callable, sizes: dict[str, int], expected: list[tuple[str, ...]], where: str) -> Callable:
    """The function, whose results are compared with the signature."""

    def call(*args: Any) -> Any:
        made = function(*args)
        results = made if isinstance(made, tuple) else (made,)
        if len(expected) > 1 and not isinstance(made, tuple):
            raise TypeError(f"output must be a tuple when multiple outputs are expected, got: {made!r}\n{where}")
        if len(results) != len(expected):
            raise TypeError(f"wrong number of output arguments: expected {len(expected)}, got {len(results)} {where}")
        known = dict(sizes)
        for result, names in zip(results, expected):
            shape = np.shape(result)
            if len(shape) != len(names):
                raise ValueError(f"output shape {shape} does not match core dimensions {names} {where}")
            _match(known, names, shape, where)
        return made

    return call


def _check_ranks(args: Sequence[Value], cores: Sequence[tuple], signature: str | None) -> None:
    policy = config.jax_numpy_rank_promotion
    if policy == "allow" or len({x.ndim - len(core) for x, core in zip(args, cores) if x.ndim}) < 2:
        return
    message = (
        f"operands with shapes {[x.shape for x in args]} require rank promotion for jnp.vectorize function with signature "
        f"{signature}. Set the jax_numpy_rank_promotion config option to 'allow' to disable this message."
    )
    if policy == "raise":
        raise ValueError(message)
    warnings.warn(message, UserWarning, stacklevel=3)


def _without(
    function: Callable, left_out: Collection[int | str], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Callable, list[Any]]:
    """The function with all named and some positional arguments filled in, and the other positional ones."""
    places = [i for i in range(len(args)) if i not in left_out]

    def call(*rest: Any) -> Any:
        whole = list(args)
        for i, x in zip(places, rest):
            whole[i] = x
        return function(*whole, **kwargs)

    return call, [args[i] for i in places]


def _spread(function: Callable, args: Sequence[Value], cores: Sequence[tuple], loop: tuple[int, ...]) -> Any:
    """The function of each combination of arguments in the shape `loop`, to which their leading dimensions broadcast."""
    outer = [x.shape[: x.ndim - len(core)] for x, core in zip(args, cores)]
    padded = [(1,) * (len(loop) - len(s)) + s for s in outer]
    given = [x.reshape(*[n for n in s if n != 1], *x.shape[len(s) :]) for x, s in zip(args, outer)]
    repeated = []
    for axis in range(len(loop) - 1, -1, -1):
        axes = [None if s[axis] == 1 else 0 for s in padded]
        if all(a is None for a in axes):
            repeated.append(axis)
        else:
            function = mapped(function, axes)
    made = function(*given)
    if not repeated:
        return made
    if isinstance(made, tuple):
        return tuple(expand_dims(y, repeated) for y in made)
    return expand_dims(made, repeated)


def vectorize(pyfunc: Callable, *, excluded: Any = frozenset(), signature: str | None = None) -> Callable:
    """A function of arrays that applies a function of scalars, or of arrays of few dimensions, to all their elements.

    Args:
      pyfunc: the function. Each argument has the last dimensions that `signature` names, none without one.
      excluded: positions and names of arguments that it gets as they are.
      signature: such as "(n,m),(m)->(n)": the dimensions of arguments and of results.

    Returns:
      A function whose arguments may have further dimensions in front, which broadcast, and whose results have them.
      Arguments given by name must be excluded.

    Raises:
      TypeError: `excluded` has something else than integers and names; when called: a wrong number of arguments or
        results, an argument given by name that is not excluded.
      ValueError: a negative position; when called: no signature, or arguments or results that do not fit it.

    Example:
      >>> import sable.numpy as jnp
      >>> dot = jnp.vectorize(lambda a, b: jnp.sum(a * b), signature="(n),(n)->()")
      >>> dot(jnp.ones((3, 4)), jnp.arange(4.0))
      Array([6., 6., 6.], dtype=float32)
    """
    if any(not isinstance(x, (str, int)) for x in excluded):
        raise TypeError(f"jax.numpy.vectorize can only exclude integer or string arguments, but excluded={excluded!r}")
    if any(isinstance(x, int) and x < 0 for x in excluded):
        raise ValueError(f"excluded={excluded!r} contains negative numbers")

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        where = f"on vectorized function with excluded={excluded!r} and signature={signature!r}"
        named = [k for k in kwargs if k not in excluded]
        if named:
            raise TypeError(f"arguments given by name, {named}, cannot be vectorized over: exclude them {where}")
        function, rest = _without(pyfunc, excluded, args, kwargs)
        cores, results = ([()] * len(rest), None) if signature is None else _parsed(signature)
        absent = {i for i, x in enumerate(rest) if x is None}
        if any(cores[i] for i in absent if i < len(cores)):
            raise ValueError(f"Cannot pass None at locations {absent} with {signature=}")
        if absent:
            function, rest = _without(function, absent, rest, {})
            cores = [core for i, core in enumerate(cores) if i not in absent]
        if len(rest) != len(cores):
            raise TypeError(f"wrong number of positional arguments: expected {len(cores)}, got {len(rest)} {where}")
        values = [asarray(x) for x in rest]
        sizes: dict[str, int] = {}
        for x, core in zip(values, cores):
            if x.ndim < len(core):
                raise ValueError(
                    f"input with shape {x.shape} does not have enough dimensions for all core dimensions {core} {where}"
                )
            _match(sizes, core, x.shape, where)
        loop = broadcast_shape(tuple(x.shape[: x.ndim - len(core)] for x, core in zip(values, cores)))
        if results is not None:
            function = _checked(function, sizes, results, where)
        _check_ranks(values, cores, signature)
        return _spread(function, values, cores, loop)

    return vectorized


# ---- along axes ----------------------------------------------------------------------------------------------------


def apply_along_axis(func1d: Callable, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of vectors, applied to all vectors that lie along an axis.

    Args:
      func1d: `func1d(vector, *args, **kwargs)`, an array (or several).
      axis: along which the vectors lie.
      arr: array.

    Returns:
      An array in which the axis is replaced by the dimensions of the function's result.

    Raises:
      ValueError: the axis is out of bounds. TypeError: `arr` is no array.

    Example:
      >>> jnp.apply_along_axis(jnp.cumsum, 1, jnp.array([[1, 2], [3, 4]]))
      Array([[1, 3],
             [3, 7]], dtype=int32)
    """
    x = array_argument("apply_along_axis", arr)
    place = normal_axis(axis, x.aval.ndim)

    def function(vector: Value) -> Any:
        return func1d(vector, *args, **kwargs)

    for behind in range(1, x.aval.ndim - place):
        function = mapped(function, [behind], -1)
    for _ in range(place):
        function = mapped(function, [0])
    return function(x)


def apply_over_axes(func: Callable, a: Any, axes: Sequence[int]) -> Value:
    """A function that reduces an axis, applied to several axes one after the other; they stay, with size 1.

    Args:
      func: `func(array, axis)`, an array with that axis or without it.
      a: array.
      axes: the axes.

    Raises:
      ValueError: the function's result has another number of dimensions. TypeError: `a` is no array.

    Example:
      >>> jnp.apply_over_axes(jnp.sum, jnp.ones((2, 3, 4)), [0, 2])
      Array([[[8.],
              [8.],
              [8.]]], dtype=float32)
    """
    x = array_argument("apply_over_axes", a)
    for axis in axes:
        made = func(x, axis)
        if made.ndim not in (x.ndim, x.ndim - 1):
            raise ValueError(f"function is not returning an array of the correct shape: {made.shape} for {x.shape}")
        x = made if made.ndim == x.ndim else expand_dims(made, axis)
    return x
