"""What lies between tracing and running: lowered and compiled functions, traced text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.core import loading, placement, watch
from sable.core.array import Array
from sable.core.extended import seen_avals
from sable.core.references import present
from sable.core.sharding import SingleDeviceSharding
from sable.core.trace import Tracer
from sable.core.tracing import Traced, argument_names, function_name
from sable.core.values import as_value
from sable.passes.estimate import estimate
from sable.pytree import arrays
from sable.pytree.registry import treedef_differences
from sable.tree_util import keystr

from .abstract import structs_of
from .donation import check_once, delete_donated
from .jaxpr import ClosedJaxpr

#: Options of the compiler by name.
CompilerOptions = dict[str, str | bool]


class ArgInfo(NamedTuple):
    """An argument of a lowered function.

    Attributes:
      shape, dtype: of the array.
      donated: whether the call deletes it.

    Example:
      >>> jax.jit(jnp.sin).lower(1.0).args_info
      ((ArgInfo(shape=(), dtype=dtype('float32'), donated=False),), {})
    """

    shape: tuple[int, ...]
    dtype: Any
    donated: bool


class _Stage:
    """What is known of a function traced for given types."""

    def __init__(self, traced: Traced, in_tree: Any, fun: Callable, device: Any = None, donated: Sequence[int] = ()):
        self._traced, self._in_tree, self._fun, self._donated = traced, in_tree, fun, donated
        self._device = device or placement.default_device()
        self.fun_name = function_name(fun)

    in_tree = property(lambda self: arrays.seen(self._in_tree))
    out_tree = property(lambda self: arrays.seen(self._traced.out_tree))

    @property
    def in_avals(self) -> Any:
        """Abstract values of the arguments: (positional, by name)."""
        return self._in_tree.unflatten(seen_avals(self._in_tree, self._traced.function.in_avals))

    @property
    def args_info(self) -> Any:
        """An `ArgInfo` for each argument: (positional, by name)."""
        avals = seen_avals(self._in_tree, self._traced.function.in_avals)
        infos = [ArgInfo(a.shape, a.dtype, k in self._donated) for k, a in enumerate(avals)]
        return self._in_tree.unflatten(infos)

    @property
    def donate_argnums(self) -> tuple[int, ...]:
        """Numbers of the leaves that a call deletes."""
        return tuple(self._donated)

    def cost_analysis(self) -> dict[str, float]:
        """`flops`: machine operations, roughly."""
        return {"flops": float(estimate(_stablehlo(self._traced)).total)}


def _stablehlo(traced: Traced, platform: str = "any") -> Any:
    from sable.passes.lower import lower  # 0.06 s: only when something is lowered

    return lower(traced.function, platform).module


class TracedStage(_Stage):
    """A function traced for given types: what `jax.jit(fun).trace(...)` gives.

    Example:
      >>> traced = jax.jit(jnp.sin).trace(1.0)
      >>> print(traced.jaxpr)
      { lambda ; a:f32[]. let b:f32[] = sin a in (b,) }
      >>> traced.out_info
      ShapeDtypeStruct(shape=(), dtype=float32, weak_type=True)
    """

    @property
    def jaxpr(self) -> ClosedJaxpr:
        """What was traced."""
        return ClosedJaxpr(self._traced.function, self._traced.captures, self._in_tree, self._traced.out_tree)

    @property
    def out_info(self) -> Any:
        """Shapes and dtypes of the results."""
        return structs_of(self._traced)

    def lower(self, *, lowering_platforms: Sequence[str] | None = None) -> Lowered:
        """Lower to StableHLO, which is the same for all platforms."""
        return Lowered(self._traced, self._in_tree, self._fun, self._device, self._donated)


class Lowered(TracedStage):
    """A function lowered to StableHLO, not yet compiled: what `jax.jit(fun).lower(...)` gives.

    Example:
      >>> lowered = jax.jit(jnp.sin).lower(1.0)
      >>> "stablehlo.sine" in lowered.as_text()
      True
    """

    def as_text(self, dialect: str | None = None, *, debug_info: bool = False) -> str:
        """The StableHLO module as text; with debug_info with locations of the user's lines."""
        return self.compiler_ir(dialect).operation.get_asm(enable_debug_info=debug_info, assume_verified=True)

    def compiler_ir(self, dialect: str | None = None) -> Any:
        """The StableHLO module as an MLIR module of the bindings in iree-base-compiler."""
        if dialect not in (None, "stablehlo"):
            raise ValueError(f"expected dialect 'stablehlo' or None, got {dialect!r}")
        return _stablehlo(self._traced)

    def compile(self, compiler_options: Any = None) -> Compiled:
        """Compile for the device of the arguments (from cache if it was compiled before)."""
        return Compiled(self._traced, self._in_tree, self._fun, self._device, self._donated)


class Compiled(_Stage):
    """A compiled function, made by `Lowered.compile`: call it with arguments of the types that it was lowered for.

    Example:
      >>> compiled = jax.jit(lambda x: 2 * x).lower(1.0).compile()
      >>> compiled(3.0)
      Array(6., dtype=float32, weak_type=True)
      >>> compiled(jnp.ones(2))
      Traceback (most recent call last):
          ...
      TypeError: Argument types differ from the types for which this computation was compiled, <lambda>. ...
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        loading.load(self._traced.function, self._device)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run. Raises TypeError where structure or types are not those that it was compiled for."""
        leaves, tree = arrays.flatten_call(args, kwargs)
        if tree != self._in_tree and arrays.seen(tree) != self.in_tree:
            lines = [
                f"  * at {'args' if path[0].idx == 0 else 'kwargs'}{keystr(path[1:])}, seen {one} but now given {other}, so {why}"
                for path, one, other, why in treedef_differences(self.in_tree, arrays.seen(tree))
            ]
            raise TypeError(
                "Function compiled with input pytree does not match the input pytree it was called with. There are "
                f"{len(lines)} mismatches of {self.fun_name}, including:\n" + "\n".join(lines)
            )
        if any(type(x) is Tracer for x in leaves):
            raise TypeError(
                "Cannot apply JAX transformations to a function lowered and compiled for a particular signature. Detected "
                f"argument of Tracer type {Tracer}."
            )
        check_once(leaves, self._donated, self.fun_name)
        values = [as_value(x) for x in present(leaves)]
        types = seen_avals(tree, [x.aval for x in values]), seen_avals(self._in_tree, self._traced.function.in_avals)
        differ = [
            f"Argument '{name}' compiled with {a.short()} and called with {x.short()}"
            for name, x, a in zip(argument_names(self._fun, args, kwargs), *types)
            if x.shape != a.shape or x.dtype != a.dtype
        ]
        if differ:
            raise TypeError(
                f"Argument types differ from the types for which this computation was compiled, {self.fun_name}. The "
                "mismatches are:\n" + "\n".join(differ)
            )
        for k, x in enumerate(values):
            if x.committed and placement.device_of(x) is not self._device:  # type: ignore[attr-defined, arg-type]
                raise ValueError(
                    "Computation was compiled for input shardings that disagree with the shardings of arguments passed to "
                    f"it: argument {k} with shape {x.aval.short()} is on {placement.device_of(x)!r}, and {self.fun_name} was "  # type: ignore[arg-type]
                    f"compiled for {self._device!r}"
                )
        outs = watch.call_program(self._traced.function, self._device, [*values, *present(self._traced.captures)])  # type: ignore[list-item]
        delete_donated(leaves, self._donated)
        return self._traced.out_tree.unflatten(self._traced.settled(outs, leaves))

    @property
    def input_shardings(self) -> Any:
        """Where the arguments are: (positional, by name)."""
        return self._in_tree.unflatten([SingleDeviceSharding(self._device)] * self._in_tree.num_leaves)

    @property
    def output_shardings(self) -> Any:
        """Where the results are."""
        tree = self._traced.out_tree
        return tree.unflatten([SingleDeviceSharding(self._device)] * tree.num_leaves)

    def as_text(self) -> str:
        """The StableHLO module that was compiled, with what the device needs otherwise than `Lowered.as_text` says."""
        return str(_stablehlo(self._traced, self._device.platform))


def concrete_captures(traced: Traced) -> list[np.ndarray]:
    """The captured arrays.

    Raises:
      TypeError: a capture is a tracer.
    """
    found = []
    for x in traced.captures:
        if not isinstance(x, Array):
            raise TypeError("the function closes over a traced value: it can be saved only outside of transformations")
        found.append(x.numpy())
    return found
