"""`reduce_window`: sums and extremes of windows, and any associative function of scalars over windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import INTS, PAIRS, SYMBOL
from sable.ir.form import OperationForm, ReduceForm, RegionsForm
from sable.ir.op import LINEAR, OPS, Shape, Traits, defop

from .bodies import ExpandedRules, arrays_and_inits, check_body, combining, spread_scalar
from .compose import compare, logical, zeros
from .functions import function_of, run
from .long_sums import wider
from .reduction import highest, lowest
from .rules import floats, integers, kind_of, sample
from .windows import fold, pad, padded, result_sizes, transposed_padding, windows


class Window(NamedTuple):
    """The parameters of a window: one entry for each dimension of the operand."""

    window_dimensions: tuple[int, ...]
    window_strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    base_dilations: tuple[int, ...]
    window_dilations: tuple[int, ...]

    def batched(self) -> dict[str, Any]:
        """The parameters with a batch axis in front."""
        return {name: ((0, 0) if name == "padding" else 1, *v) for name, v in self._asdict().items()}


PARAMS = {
    "window_dimensions": INTS,
    "window_strides": INTS,
    "padding": PAIRS,
    "base_dilations": INTS,
    "window_dilations": INTS,
}


def every(value: Any) -> Callable[[Any], tuple]:
    """The default of an attribute with one entry for each dimension of the first operand."""
    return lambda operation: (value,) * len(operation.operands[0].type.shape)


DEFAULTS = {p: every((0, 0) if p == "padding" else 1) for p in PARAMS if p != "window_dimensions"}


def window_sizes(name: str, shape: Sequence[int], w: Window) -> tuple[int, ...]:
    """How many windows there are in each dimension.

    Raises:
      ValueError: entries for another number of dimensions. TypeError: entries that are not positive.
    """
    for what, values in w._asdict().items():
        if len(values) != len(shape):
            raise ValueError(f"{name}: {what} must have one entry for each of {len(shape)} dimensions, got {values}")
        if what != "padding" and any(n < 1 for n in values):
            raise TypeError(f"{name} {what} must have every element be greater than or equal to 1, got {values}.")
    return result_sizes(shape, w.window_dimensions, w.window_strides, *w[2:])


# ---- sums and extremes ---------------------------------------------------------------------------


def _type(name: str, kinds: str) -> Callable:
    def rule(x: Aval, **params: Any) -> Aval:
        if kind_of(x.dtype) not in kinds:
            raise TypeError(f"{name} does not accept dtype {x.dtype.name}.")
        return aval(window_sizes(name, x.shape, Window(**params)), x.dtype, x.weak_type)

    return rule


def _ref(ufunc: np.ufunc, neutral: Callable[[np.dtype], Any]) -> Callable:
    def ref(x: np.ndarray, **params: Any) -> np.ndarray:
        w = Window(**params)
        view = windows(
            padded(x, w.padding, w.base_dilations, np.asarray(neutral(x.dtype), x.dtype)),
            w.window_dimensions,
            w.window_strides,
            w.window_dilations,
        )
        axes = tuple(range(x.ndim, 2 * x.ndim))
        if ufunc is np.add:  # half precision is accumulated in f32
            wide = np.dtype(np.float32) if x.dtype in (bfloat16, np.float16) else x.dtype
            wide = wider(wide, math.prod(w.window_dimensions)) or wide
            return np.asarray(ufunc.reduce(view, axis=axes, dtype=wide)).astype(x.dtype)
        return np.asarray(ufunc.reduce(view, axis=axes))

    return ref


def _sum_transpose(b: Any, ct: Any, avals: Sequence[Aval], x: Any, **params: Any) -> Any:
    """Windows over the cotangent, which lies at distances of the strides: each element meets those it was in."""
    w = Window(**params)
    edges = transposed_padding(
        avals[0].shape, w.window_dimensions, b.aval(ct).shape, w.window_strides, w.padding, *w[3:]
    )
    return b.reduce_window_sum(
        ct,
        window_dimensions=w.window_dimensions,
        window_strides=w.base_dilations,
        padding=edges,
        base_dilations=w.window_strides,
        window_dilations=w.window_dilations,
    )


def _extreme_jvp(direction: str, neutral: Callable[[np.dtype], Any]) -> Callable:
    """The tangent of the first element that is the extreme one, as XLA's select_and_scatter has it."""

    def rule(b: Any, t: Any, y: Any, x: Any, **params: Any) -> Any:
        w, a = Window(**params), b.aval(x)
        if 0 in b.aval(y).shape:
            return zeros(b, b.aval(y))
        edges = (w.padding, w.base_dilations)
        scalar = aval((), a.dtype)
        values = [pad(b, x, b.full(scalar, neutral(a.dtype)), *edges), pad(b, t, b.full(scalar, 0), *edges)]

        def first(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
            # NaN stays, as it does in the extreme
            keep = logical(b, "or", compare(b, left[0], right[0], direction), compare(b, left[0], left[0], "NE"))
            return [b.select(keep, one, other) for one, other in zip(left, right)]

        return fold(b, values, first, w.window_dimensions, w.window_strides, w.window_dilations)[1]

    return rule


def _batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, **params: Any) -> Any:
    return b.bind(op, operands[0], **Window(**params).batched())


class ReduceWindowForm(ReduceForm):
    """`stablehlo.reduce_window` of one operand with one scalar operation and its neutral element."""

    mlir_name = "stablehlo.reduce_window"

    def __init__(self, combine: str, neutral: Callable):
        super().__init__(combine, neutral)
        self.plain = OperationForm(self.mlir_name, PARAMS, DEFAULTS)

    def attributes(self, params: Mapping[str, Any]) -> dict | None:
        return self.plain.attributes(params)

    def decode(self, operation, results):
        operands, params = self.plain.decode(operation, results)
        return operands[:1], params


def _window(*operands: np.ndarray, grad: bool = True, why: str = "", **params: Any) -> Any:
    rank = operands[0].ndim
    given = {
        p: params.pop(p, default * rank) for p, default in zip(Window._fields, ((1,), (1,), ((0, 0),), (1,), (1,)))
    }
    return sample(*operands, grad=grad, why=why, **given, **params)


def _grid(*more: Any, dtype: Any = np.float32, **params: Any) -> list:
    """Samples with and without strides, edges, dilations."""

    def x(shape: tuple[int, ...]) -> np.ndarray:
        return floats(shape, dtype=dtype)

    return [
        _window(x((7,)), *more, window_dimensions=(3,), **params),
        _window(x((2, 7, 6)), *more, window_dimensions=(1, 3, 2), window_strides=(1, 2, 2), **params),
        _window(x((5, 6)), *more, window_dimensions=(2, 3), padding=((1, 1), (0, 2)), window_strides=(3, 1), **params),
        _window(x((4, 5)), *more, window_dimensions=(5, 2), base_dilations=(3, 1), window_dilations=(1, 2), **params),
        _window(x((6,)), *more, window_dimensions=(4,), padding=((-1, 2),), window_dilations=(2,), **params),
        _window(x(()), *more, window_dimensions=(), **params),
        _window(x((2, 3)), *more, window_dimensions=(3, 1), **params),
    ]


def _samples(kinds: str, smooth: bool) -> Callable:
    def samples() -> list:
        found = [
            *_grid(),
            _window(floats((3, 5), dtype=np.float64), window_dimensions=(2, 2)),
            _window(integers((3, 5)), window_dimensions=(2, 3), padding=((1, 0), (0, 1))),
            _window(integers((6,), 0, 9, np.uint8), window_dimensions=(2,), window_strides=(2,)),
            _window(floats((0, 4)), window_dimensions=(1, 2)),
            _window(floats((6,), dtype=bfloat16), window_dimensions=(3,), rtol=1e-2, atol=1e-2),
            _window(floats((6,), dtype=np.float16), window_dimensions=(3,), rtol=1e-2, atol=1e-2),
            _window(
                np.array([1, np.nan, 2, np.inf, -np.inf, 0], np.float32),
                window_dimensions=(2,),
                grad=False,
                why="not finite",
            ),
        ]
        if "c" in kinds:
            z = (floats((5,)) + 1j * floats((5,), seed=1)).astype(np.complex64)
            found.append(_window(z, window_dimensions=(2,), padding=((1, 0),)))
        return found

    return samples


def _zero(dtype: np.dtype) -> Any:
    return 0


def _folded(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """One operation for each element of each window."""
    return sum(map(math.prod, results)) * math.prod(INTS.decode(attributes["window_dimensions"]))


def _row(name: str, kinds: str, combine: str, ufunc: np.ufunc, neutral: Callable, jvp: Any, transpose: Any) -> None:
    defop(
        name,
        operands=("operand",),
        params=PARAMS,
        type=_type(name, kinds),
        ref=_ref(ufunc, neutral),
        jvp={"operand": jvp},
        transpose=transpose,
        batch=_batch,
        samples=_samples(kinds, jvp is LINEAR),
        form=ReduceWindowForm(combine, neutral),
        traits=Traits(work=_folded),
    )


_row("reduce_window_sum", "iufc", "add", np.add, _zero, LINEAR, {"operand": _sum_transpose})
_row("reduce_window_max", "biuf", "maximum", np.maximum, lowest, _extreme_jvp("GE", lowest), {})
_row("reduce_window_min", "biuf", "minimum", np.minimum, highest, _extreme_jvp("LE", highest), {})


# ---- by any function -----------------------------------------------------------------------------


def _any_type(*avals: Aval, body: Any, **params: Any) -> tuple[Aval, ...]:
    arrays, _ = arrays_and_inits("reduce_window", avals)
    sizes = window_sizes("reduce_window", arrays[0].shape, Window(**params))
    check_body("reduce_window", "body", body, arrays)
    return tuple(aval(sizes, a.dtype, a.weak_type) for a in arrays)


def _any_ref(*operands: np.ndarray, body: Any, **params: Any) -> tuple[np.ndarray, ...]:
    """Window by window, element by element; edges and holes hold the initial values."""
    n, w = len(operands) // 2, Window(**params)
    views = [
        windows(padded(x, w.padding, w.base_dilations, init), w.window_dimensions, w.window_strides, w.window_dilations)
        for x, init in zip(operands[:n], operands[n:])
    ]
    rank = operands[0].ndim
    outs = [np.empty(v.shape[:rank], v.dtype) for v in views]
    for place in np.ndindex(outs[0].shape):
        state: Sequence[Any] = operands[n:]
        for element in np.ndindex(w.window_dimensions):
            state = run(body, [*state, *(v[place + element] for v in views)])
        for out, value in zip(outs, state):
            out[place] = value
    return tuple(outs)


class ReduceWindowRules(ExpandedRules):
    """Windows are folded one dimension after the other."""

    def expand(self, passes, b, *operands, body, **params):
        n, w = len(operands) // 2, Window(**params)
        sizes = window_sizes("reduce_window", b.aval(operands[0]).shape, w)
        inits = [spread_scalar(b, x, sizes) for x in operands[n:]]
        if 0 in sizes:
            return inits
        values = [pad(b, x, init, w.padding, w.base_dilations) for x, init in zip(operands[:n], operands[n:])]
        combine = combining(passes, b, body)
        folded = fold(b, values, combine, w.window_dimensions, w.window_strides, w.window_dilations)
        return combine(inits, folded)

    def batched(self, b, node, size, xs):
        params = dict(node.params)
        body = params.pop("body")
        return b.bind(node.op, *xs, body=body, **Window(**params).batched())

    def row(self):
        return OPS["reduce_window"]

    def samples(self):
        f, i = aval((), np.dtype(np.float64)), aval((), np.dtype(np.int32))
        # commutative and associative, with 0 as neutral element
        either = function_of(lambda b, x, y: [b.subtract(b.add(x, y), b.multiply(x, y))], f, f, name="either")
        product = function_of(lambda b, x, i, y, j: [b.multiply(x, y), b.add(i, j)], f, i, f, i, name="product")
        x, k = floats((4, 5), dtype=np.float64), integers((4, 5))
        return [
            *_grid(np.float64(0), body=either, dtype=np.float64),
            _window(x, k, np.float64(1), np.int32(0), window_dimensions=(2, 2), padding=((0, 1), (1, 0)), body=product),
        ]


_ANY_PARAMS = {"body": SYMBOL, **PARAMS}

defop(
    "reduce_window",
    dialect="sable",
    operands=("*operands",),
    params=_ANY_PARAMS,
    type=_any_type,
    ref=_any_ref,
    functions=ReduceWindowRules(),
    multiple_results=True,
    form=RegionsForm("sable.reduce_window", _ANY_PARAMS, "stablehlo.reduce_window", ("body",), DEFAULTS),
)
