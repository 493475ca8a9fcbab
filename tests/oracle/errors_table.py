"""Programs that are refused, with a phrase of the error: the table of `test_messages.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

X = np.ones((3, 4), np.float32)
V = np.ones(4, np.float32)
INTEGERS = np.ones(4, np.int32)


VECTOR = np.arange(5, dtype=np.float32)


class _NoSignature:
    @property
    def __signature__(self) -> Any:
        raise TypeError("no signature")

    def __call__(self, a: Any) -> Any:
        return a


class _Slotted:
    __slots__ = ()

    def __call__(self, x: Any) -> Any:
        return x


class _Holder:
    def __init__(self, x: Any):
        self.x = x

    def __jax_array__(self) -> Any:
        return self.x


class _Incomparable:
    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        raise NotImplementedError("not to be compared")


def _incomparable(j: Any) -> Any:
    f = j.jit(lambda x, y: x, static_argnums=1)
    return [f(1.0, _Incomparable()) for _ in range(2)]


def _leaked(j: Any) -> Any:
    kept: list[Any] = []
    j.jit(lambda x: kept.append(x + 1))(1.0)
    return kept[0] + 1


def _custom_errors() -> dict[str, tuple[Callable[[Any], Any], str]]:
    """Of functions with derivatives of their own."""

    def jvp_of(rule: Callable) -> Callable:
        def run(j: Any) -> Any:
            f = j.custom_jvp(lambda x, y=1.0: x)
            f.defjvp(rule)
            return j.jvp(lambda x: _in_scan(j, f, x), (np.float32(1),), (np.float32(1),))

        return run

    def vjp_of(forward: Callable, backward: Callable, x: Any = 1.0) -> Callable:
        def run(j: Any) -> Any:
            f = j.custom_vjp(lambda x: x)
            f.defvjp(forward, backward)
            return j.grad(lambda x: j.numpy.sum(_in_scan(j, f, x)))(j.numpy.asarray(x))

        return run

    def twice(primals: Any, tangents: Any) -> Any:
        return (primals[0], primals[0]), (tangents[0], tangents[0])

    keywords = "could not be resolved to positions: z"
    return {
        "rule of another structure": (
            jvp_of(twice),
            "output's first element had container/pytree structure:\n    (float32[], f",
        ),
        "rule of another shape": (
            jvp_of(lambda p, t: (p[0] + V, t[0])),
            "first element had shapes/dtypes of:\n    float32[4]",
        ),
        "tangent of another shape": (
            jvp_of(lambda p, t: (p[0], t[0] + V)),
            "Expected float32[] (tangent type of float32[]) but",
        ),
        "fwd of another shape": (
            vjp_of(lambda x: (x + V, None), lambda r, t: (t,)),
            "shapes/dtypes of:\n    float32[4]",
        ),
        "bwd of another shape": (
            vjp_of(lambda x: (x, None), lambda r, t: (V[:3],), V),
            "the bwd rule produced an output of type",
        ),
        "jvp of custom_vjp": (
            lambda j: j.jvp(_ruled(j, "custom_vjp", abs), (1.0,), (1.0,)),
            "can't apply forward-mode autodiff (jvp) to a custom_vjp function.",
        ),
        "a missing argument": (
            lambda j: _ruled(j, "custom_jvp", lambda x, y: x)(1.0),
            "missing a required argument: 'y'",
        ),
        "arguments by name": (lambda j: _ruled(j, "custom_jvp", lambda x, *, z=None: x)(1.0, z=1.0), keywords),
        "arguments by name of a custom_vjp": (
            lambda j: _ruled(j, "custom_vjp", lambda x, *, z=None: x)(1.0, z=1.0),
            keywords,
        ),
    }


def _gather_errors() -> dict[str, tuple[Callable[[Any], Any], str]]:
    """Of dimension numbers that make no sense."""
    indices = np.zeros((3, 2), np.int32)

    def numbers(sizes: tuple[int, ...], offset: tuple, collapsed: tuple, start: tuple, **batching: tuple) -> Callable:
        return lambda j: j.lax.gather(
            X, indices, j.lax.GatherDimensionNumbers(offset, collapsed, start, **batching), sizes
        )

    both = {"operand_batching_dims": (0,), "start_indices_batching_dims": (0,)}
    return {
        "offsets beyond": (numbers((1, 1), (1, 5), (), (0, 1)), "Offset dimension 1 in gather op is out of bounds"),
        "one size too few": (
            numbers((1,), (), (0, 1), (0, 1)),
            "Gather op must have one slice size for every input dimension",
        ),
        "starts beyond": (numbers((1, 1), (), (0, 1), (0, 7)), "Invalid start_index_map"),
        "window dimensions": (
            numbers((1, 1), (1,), (0, 1), (0, 1)),
            "must either be a offset dimension or explicitly collapsed",
        ),
        "batched starts": (
            numbers((1, 1), (), (1,), (0, 1), **both),
            "start_index_map and operand_batching_dims in gather op must be disjoint",
        ),
    }


def _arguments(a: Any, /, b: Any, c: Any) -> None: ...


def _in_scan(j: Any, f: Callable, x: Any) -> Any:
    return j.lax.scan(lambda c, _: (f(c), None), x, None, length=1)[0]


def _ruled(j: Any, kind: str, f: Callable) -> Any:
    made = getattr(j, kind)(f)
    made.defjvp(lambda p, t: (p[0], t[0])) if kind == "custom_jvp" else made.defvjp(
        lambda x: (x, None), lambda r, t: (t,)
    )
    return made


def _without_jit(j: Any, run: Callable) -> Any:
    with j.disable_jit():
        return run()


def _mask(name: str) -> Callable:
    extra = {"initial": 0} if name.endswith(("max", "min")) else {}
    return lambda j: getattr(j.numpy, name)(V, where=INTEGERS, **extra)


#: name -> (program of a module, phrase of the error)
ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    **{
        f"mask of {name}": (_mask(name), f"jnp.{name}: where must be None or a boolean array")
        for name in [
            "sum",
            "prod",
            "min",
            "max",
            "mean",
            "var",
            "std",
            "nansum",
            "nanprod",
            "nanmin",
            "nanmax",
            "nanmean",
            "nanvar",
            "nanstd",
        ]
    },
    "where of shapes that do not fit": (lambda j: j.numpy.where(V > 0, V, np.ones(3)), "Incompatible shapes for broad"),
    "method of quantiles": (lambda j: j.numpy.quantile(V, 0.5, method="other"), "method can only be 'linear', 'lower'"),
    "complex weights": (lambda j: j.numpy.quantile(V, 0.5, weights=V * 1j), "Weights cannot be complex"),
    "mode of pad": (lambda j: j.numpy.pad(V, 1, mode=None), "Unimplemented padding mode 'None' for np.pad"),
    "complex arange": (lambda j: j.numpy.arange(0, 1 + 1j), "Passing complex start/stop/step to jnp.arange"),
    **{
        f"traced {name} of arange": (
            lambda j, name=name: j.jit(lambda x: j.numpy.arange(**{"start": 0, "stop": 3, name: x}))(1),
            f"It arose in the jnp.arange argument '{name}'",
        )
        for name in ("start", "stop", "step")
    },
    **{
        f"traced {what}": (lambda j, run=run: j.jit(lambda n: run(j, n))(1), phrase)
        for what, run, phrase in (
            (
                "size of zeros",
                lambda j, n: j.numpy.zeros(n),
                "Shapes must be 1D sequences of concrete values of integer",
            ),
            ("shape of zeros", lambda j, n: j.numpy.zeros((2, n)), "If using `jit`, try using `static_argnums`"),
            (
                "shape of reshape",
                lambda j, n: j.numpy.ones(3).reshape((n, -1)),
                "Shapes must be 1D sequences of concrete",
            ),
            ("parts of split", lambda j, n: j.numpy.split(j.numpy.ones(4), n), "in jax.numpy.split argument 1"),
            ("parts as a float", lambda j, n: j.numpy.split(j.numpy.ones(4), n * 1.0), "in jax.numpy.split argument 1"),
            ("cuts", lambda j, n: j.numpy.array_split(j.numpy.ones(4), (n,)), "in jax.numpy.array_split argument 1"),
            ("number of linspace", lambda j, n: j.numpy.linspace(0, 1, n), "'num' argument of jnp.linspace"),
            ("number of classes", lambda j, n: j.nn.one_hot(n, n), "in jax.nn.one_hot argument `num_classes`"),
            (
                "axis",
                lambda j, n: j.numpy.sum(j.numpy.ones((2, 2)), axis=n),
                "The axis argument must be known statically.",
            ),
            (
                "permutation",
                lambda j, n: j.random.permutation(j.random.key(0), n),
                "argument x of jax.random.permutation()",
            ),
            ("choice", lambda j, n: j.random.choice(j.random.key(0), n), "The error occurred in jax.random.choice()"),
            ("tolist", lambda j, n: n.tolist(), "The tolist() method was called on traced array with shape int32[]"),
            ("tobytes", lambda j, n: n.tobytes(), "The tobytes() method was called on traced array with shape int32[]"),
            ("item", lambda j, n: n.item(), "This occurred in the item() method of jax.Array"),
            ("position", lambda j, n: j.numpy.ravel_multi_index((n,), (3,)), "Use mode='wrap' or mode='clip' instead"),
        )
    },
    "search of arrays": (lambda j: X in j.numpy.ones(3), "query value must be a scalar, got query.shape=(3, 4)"),
    "search in matrices": (
        lambda j: 1.0 in j.numpy.ones((2, 2)),
        "array must be one-dimensional, got arr.shape=(2, 2)",
    ),
    "structures": (lambda j: j.numpy.zeros(2, [("a", "i4")]), "JAX only supports number, bool, and string dtypes, got"),
    "fewer dimensions": (lambda j: j.numpy.broadcast_to(X, (4,)), "Cannot broadcast to shape with fewer dimensions"),
    "other sizes": (
        lambda j: j.numpy.broadcast_to(X, (2, 4)),
        "Incompatible types for broadcasting: input type=float32[3,4]",
    ),
    "clip of complex": (lambda j: j.numpy.clip(V * 1j), "Complex values have no ordering and cannot be clipped"),
    "new axes": (lambda j: j.numpy.expand_dims(V, (1, 1)), "repeated axis"),
    "axes of a size": (lambda j: j.numpy.size(X, (0, 0)), "repeated axis"),
    "axes of tensordot": (
        lambda j: j.numpy.tensordot(V, V, axes=((0,), 0)),
        "both axes lists to be either ints, tuples or",
    ),
    "too many axes": (lambda j: j.numpy.tensordot(V, V, axes=3), "exceeds input ranks ((4,) and (4,))"),
    "axes of a trace": (lambda j: j.numpy.trace(X, axis1=1, axis2=-1), "axis1 and axis2 can not be same"),
    "a vector turned": (lambda j: j.numpy.rot90(V), "rot90 requires its first argument to have ndim at least two"),
    **{
        f"sizes of {name}": (
            lambda j, name=name: getattr(j.numpy, name)(2, 3),
            f"accidentally write `jax.numpy.{name}(2, 3)`",
        )
        for name in ("zeros", "ones", "empty")
    },
    "a number beyond int32": (lambda j: j.jit(lambda x: x)(2**31), "whose argument path is x"),
    **{
        f"an object with an array, {name}": (
            lambda j, run=run: run(j, _Holder(j.numpy.ones(3))),
            "Triggering __jax_array__()",
        )
        for name, run in {
            "in jit": lambda j, x: j.jit(lambda x: x)(x),
            "out of jit": lambda j, x: j.jit(lambda: x)(),
            "in grad": lambda j, x: j.grad(j.numpy.sum)(x),
            "out of grad": lambda j, x: j.grad(lambda y: x)(1.0),
            "in jvp": lambda j, x: j.jvp(lambda x: x, (x,), (x,)),
            "in vmap": lambda j, x: j.vmap(lambda x: x)(x),
            "in checkpoint": lambda j, x: j.checkpoint(lambda x: x)(x),
            "in cond": lambda j, x: j.lax.cond(True, lambda x: x, lambda x: x, x),
            "in scan": lambda j, x: j.lax.scan(lambda c, x: (c, x), 0.0, x),
            "in while_loop": lambda j, x: j.lax.while_loop(lambda c: False, lambda c: c, x),
            "in eval_shape": lambda j, x: j.eval_shape(lambda x: x, x),
            "in device_put": lambda j, x: j.device_put(x),
            "in sin": lambda j, x: j.lax.sin(x),
        }.items()
    },
    "three operands at once": (
        lambda j: j.numpy.einsum("i,i,i", V, V, V, optimize=[(0, 1, 2)]),
        "jax.numpy.einsum does not support simultaneous contraction of 3 or more operands",
    ),
    "a static argument that cannot be compared": (_incomparable, "static arguments should be comparable using __eq__"),
    "positions of split": (lambda j: j.numpy.split(V, [1.0, 2]), "'float' object cannot be interpreted as an integer"),
    "a function without weak references": (
        lambda j: j.jit(_Slotted())(1.0),
        "cannot create weak reference to '_Slotted'",
    ),
    "a list of indices": (lambda j: j.numpy.ones(3)[[0, 1]], "use `arr[array(seq)]` instead of `arr[seq]`"),
    "a list of lists": (lambda j: j.numpy.ones(3)[[[0, 1]]], "use `arr[tuple(seq)]` instead of `arr[seq]`"),
    "no element": (lambda j: j.jit(lambda i: j.numpy.ones((2, 0))[0, i])(0), "out of bounds for axis 1 with size 0"),
    "jacfwd by complex numbers": (
        lambda j: j.jacfwd(abs)(1j),
        "jacfwd requires real-valued inputs (input dtype that is a sub",
    ),
    "jacrev by integers": (
        lambda j: j.jacrev(abs)(1),
        "jacrev requires real- or complex-valued inputs (input dtype that",
    ),
    "jacrev of complex results": (
        lambda j: j.jacrev(lambda x: x * 1j)(1.0),
        "jacrev requires real-valued outputs (output",
    ),
    "holomorphic of reals": (
        lambda j: j.jacfwd(abs, holomorphic=True)(1.0),
        "requires inputs with complex dtype, but got",
    ),
    "no auxiliary output": (
        lambda j: j.grad(lambda x: x, has_aux=True)(1.0),
        "expected function with aux output to return a two-element tuple",
    ),
    "two cotangents": (lambda j: j.vjp(abs, 1.0)[1](1.0, 1.0), "was called with 2 arguments"),
    "tangents of another kind": (
        lambda j: j.jvp(abs, [1.0], (1.0,)),
        "primal and tangent arguments to jax.jvp must have the",
    ),
    "text in an array": (lambda j: "abc" in j.numpy.asarray(V), "Array.__contains__: unsupported operand type"),
    "a traced size of tri": (
        lambda j: j.jit(j.numpy.tri)(3),
        "Shapes must be 1D sequences of concrete values of integer type",
    ),
    "a smaller rank": (
        lambda j: j.lax.broadcast_in_dim(X, [4], [0, 1]),
        "target broadcast shape must have equal or higher",
    ),
    "a dimension twice": (
        lambda j: j.lax.broadcast_in_dim(X[:, :3], [3, 3], [0, 0]),
        "broadcast_in_dim broadcast_dimensions must not contain duplicates",
    ),
    "negative pieces": (lambda j: j.lax.split(V, [-1]), "Sizes passed to split must be nonnegative"),
    "fractional sizes": (
        lambda j: j.lax.reshape(V, (1.5, 2.0)),
        "Shapes must be 1D sequences of concrete values of integer type",
    ),
    "an empty window": (
        lambda j: j.lax.reduce_window(V, 0.0, j.lax.add, (0,), (1,), "VALID"),
        "must have every element be",
    ),
    "windows of another structure": (
        lambda j: j.lax.reduce_window(V, 0.0, lambda x, y: [x + y], (1,), (1,), "VALID"),
        "reduce_window output must have the same tree structure as the operands",
    ),
    "windows from arrays": (
        lambda j: j.lax.reduce_window(V, V[:1], j.lax.max, (2,), (2,), "VALID"),
        "reduce_window expected init_values to be scalars but init_values have shapes [(1,)].",
    ),
    "strides of a convolution": (
        lambda j: j.lax.conv(np.zeros((1, 1, 3, 3), "f"), np.zeros((1, 1, 1, 1), "f"), [1], "SAME"),
        "conv_general_dilated window and window_strides must have the same number of dimensions",
    ),
    "too many elements to rank": (
        lambda j: j.eval_shape(lambda x: j.lax.top_k(x, 1), j.ShapeDtypeStruct((2**31 + 1,), np.float32)),
        "top_k returns int32 indices, which will overflow",
    ),
    "a transpose between kinds": (lambda j: j.linear_transpose(lambda x: 2.0 * x, 1), "linear_transpose only supports"),
    "a cotangent of another structure": (
        lambda j: j.linear_transpose(lambda x: [x, x], 1.0)(1.0),
        "cotangent tree does not match function output",
    ),
    "a cotangent of another type": (
        lambda j: j.linear_transpose(lambda x: x, 1.0)(1j),
        "cotangent type does not match function output",
    ),
    "float of a traced value": (lambda j: j.jit(float)(1.0), "ry using `x.astype(float)`"),
    "int of a traced array": (lambda j: j.jit(int)(V), "Only scalar arrays can be converted to Python scalars"),
    "index of a traced array": (
        lambda j: j.jit(lambda x: [0][x])(INTEGERS),
        "Only integer scalar arrays can be converted to a scalar index.",
    ),
    "truth of no elements": (lambda j: j.jit(bool)(V[:0]), "The truth value of an empty array is ambiguous."),
    "an inner size": (
        lambda j: j.numpy.dot(V, V[:3]),
        "dot_general requires contracting dimensions to have the same shape, got (4,) and (3,).",
    ),
    "text as an array": (
        lambda j: j.lax.add(j.numpy.ones(()), np.array("hello")),
        "was passed to add at position 1.",
    ),
    "objects in grad": (lambda j: j.grad(lambda x: x)(np.array([1], object)), "is not a valid JAX type"),
    "text out of vmap": (lambda j: j.vmap(lambda x: "a")(V), "Output from batched function"),
    "negative sizes": (lambda j: j.lax.broadcast_shapes((-1,)), "Only non-negative indices are allowed"),
    "no shape": (lambda j: j.lax.broadcast_shapes("ab"), "Shapes must be 1D sequences"),
    "carried keys": (
        lambda j: j.lax.scan(lambda c, x: (j.random.key_data(c), x), j.random.key(0), V),
        "input carry c has type key<fry>[] but the corresponding output carry component has type uint32[2]",
    ),
    "keys in grad": (lambda j: j.grad(j.random.uniform)(j.random.key(0)), "inexact), but got key<fry>"),
    "sums of keys": (lambda j: j.random.key(0) + j.random.key(1), "add does not accept dtype key<fry> at position 0"),
    "keys plus one": (lambda j: 1 + j.random.key(0), "add does not accept dtypes int32, key<fry>."),
    "numbers of keys": (lambda j: j.lax.convert_element_type(j.random.key(0), int), "from key<fry> to int32"),
    "sizes of keywords": (
        lambda j: j.vmap(lambda x, y: x)(V, y=V[:1]),
        "one axis had size 1: axis 0 of kwargs['y'] of type float32[1]",
    ),
    "a named axis in an unmapped result": (
        lambda j: j.vmap(lambda x: j.lax.psum(x, "foo") * x, out_axes=None, axis_name="foo")(V),
        "vmap has mapped output",
    ),
    "axes that are no prefix": (
        lambda j: j.vmap(lambda x: x, in_axes=([0],))(V),
        "vmap in_axes specification must be a tree prefix of the corresponding value;",
    ),
    "devices that are no prefix": (
        lambda j: j.device_put({"a": V, "b": V}, {"a": [None], "b": (None,)}),
        "Mismatch details (2 found)",
    ),
    "aliased and donated": (
        lambda j: j.device_put(V, may_alias=True, donate=True),
        "may_alias and donate cannot be True at the same time.",
    ),
    "branches of other structures": (
        lambda j: j.lax.switch(1, [lambda: {"a": 2.0}, lambda: {"a": (3.0, 3.0)}]),
        "branch 0 output at path ['a'] is a pytree leaf but branch1 output at path ['a'] is a <class 'tuple'>",
    ),
    "a leak": (lambda j: _leaked(j), "was created on line"),
    "arguments of another type": (
        lambda j: j.jit(lambda x: x).lower(V).compile()(INTEGERS),
        "Argument 'x' compiled with",
    ),
    "no signature": (
        lambda j: j.jit(_NoSignature(), donate_argnames="a")(V),
        "Pass donate_argnums instead of donate_argnames.",
    ),
    "a tangent of integers": (
        lambda j: j.linearize(j.numpy.sum, INTEGERS)[1](V),
        "linearized function called on tangent values inconsistent with the original primal values",
    ),
    "axes in a dictionary": (
        lambda j: j.vmap(abs, in_axes={"a": 0}),
        "vmap in_axes must be an int, None, or a tuple of entries",
    ),
    "axes False": (lambda j: j.vmap(abs, in_axes=False), "vmap in_axes must be an int, None, or a tuple of entries"),
    "out_axes False": (
        lambda j: j.vmap(abs, out_axes=False),
        "vmap out_axes must be an int, None, or (nested) container",
    ),
    "two sizes": (
        lambda j: j.vmap(lambda x, y, z: x)(V, np.ones(3), V),
        "vmap got inconsistent sizes for array axes to be mapped:\n  * most axes (2 of them) had size 4, e.g. axis 0 of "
        "argument x of type float32[4];\n  * one axis had size 3: axis 0 of argument y of type float32[3]",
    ),
    "another size": (
        lambda j: j.vmap(abs, axis_size=2)(V),
        "vmap got inconsistent sizes for array axes to be mapped:\n  * the `axis_size` argument was 2;\n  * one axis had size 4",
    ),
    "vmap of nothing": (
        lambda j: j.vmap(lambda x: x)({}),
        "vmap wrapped function must be passed at least one argument",
    ),
    **{
        f"scan: {what}": (lambda j, body=body, init=init: j.lax.scan(body, init, VECTOR), phrase)
        for what, body, init, phrase in (
            (
                "lengths",
                lambda c, x: ((0, 0, 0), x),
                (1, (2, 3)),
                "The input carry c is a tuple of length 2 but the correspond",
            ),
            (
                "kinds",
                lambda c, x: ([0, 0], x),
                (1, 2),
                "The input carry c is a <class 'tuple'> but the corresponding comp",
            ),
            ("keys", lambda c, x: ({"T": 1}, x), {"t": 1}, "is a <class 'dict'> with pytree metadata ('T',), so"),
            (
                "dtypes",
                lambda c, x: ((c[0] * 1.5, np.ones((1, 1), np.float32)), x),
                (np.int32(0), np.int32(1)),
                "  * the input carry component c[0] has type int32[] but the corresponding output carry component has type "
                "float32[], so the dtypes do not match;\n  * the input carry component c[1] has type int32[] but the "
                "corresponding output carry component has type float32[1,1], so the dtypes do not match, and the shapes do not",
            ),
            ("no pair", lambda c, x: np.float32(0), 0, "scan body output must be a pair, got float32[]."),
        )
    },
    "negative unroll": (
        lambda j: j.lax.scan(lambda c, x: (c, x), 0, VECTOR, unroll=-1),
        "`unroll` must be a `bool` or a non-n",
    ),
    "unroll of unknown bounds": (
        lambda j: j.jit(lambda n: j.lax.fori_loop(0, n, lambda i, x: x, 0, unroll=3))(3),
        "Can only use `unroll` in `fori_loop` if the loop bounds are statically known",
    ),
    "traced length": (
        lambda j: j.jit(lambda n: j.lax.scan(lambda c, x: (c, x), 1.0, (), n))(3),
        "The `length` argument to `scan` expects a concrete `int` value",
    ),
    "traced unroll": (
        lambda j: j.jit(lambda n: j.lax.scan(lambda c, x: (c, x), 1.0, VECTOR, unroll=n))(3),
        "The `unroll` argument to `scan` expects a concrete `int` or `bool` value",
    ),
    "a loop of floats": (
        lambda j: j.lax.while_loop(lambda c: np.float32(1), lambda c: c, np.float32(0)),
        "but got output type(s) [ShapedArray(float32[])].",
    ),
    "no predicate": (lambda j: j.lax.cond(None, lambda: 1, lambda: 2), "cond predicate is None"),
    "a function as predicate": (
        lambda j: j.lax.cond(abs, lambda: 1, lambda: 2),
        "Pred type must be either boolean or number, got",
    ),
    "a text as predicate": (
        lambda j: j.lax.cond("foo", lambda: 1, lambda: 2),
        "Pred must be a scalar, got foo of type <class 'str'>",
    ),
    "a text as index": (lambda j: j.lax.switch("foo", [lambda: 1]), "Index type must be an integer, got foo."),
    "a pair as index": (
        lambda j: j.lax.switch((1, 2), [lambda: 1]),
        "Branch index must be scalar, got (1, 2) of shape (2,).",
    ),
    "branches of other structure": (
        lambda j: j.lax.cond(True, lambda: {"a": 2.0}, lambda: {"a": (3.0, 3.0)}),
        "true_fun output at path ['a'] is a pytree leaf but false_fun output at path ['a'] is a <class 'tuple'>",
    ),
    "branches of other shape": (
        lambda j: j.lax.cond(True, lambda: V, lambda: np.float32(1)),
        "The output of true_fun has type float32[4] but the corresponding output of false_fun has type float32[], so the shapes",
    ),
    "empty scan without jit": (
        lambda j: _without_jit(j, lambda: j.lax.scan(lambda c, x: (c, x), 0.0, V[:0])),
        "zero-length scan",
    ),
    **_custom_errors(),
    **_gather_errors(),
    **{
        f"{what}={given!r}": (lambda j, what=what, given=given: j.jit(_arguments, **{what: given}), phrase)
        for what in ("static_argnames", "donate_argnames")
        for given, phrase in (
            ("other", f"invalid argnames {{'other'}} in {what}"),
            ("a", f"invalid argnames {{'a'}} in {what}"),
        )
    },
    "static_argnums": (
        lambda j: j.jit(_arguments, static_argnums=3),
        "Jitted function has static_argnums=(3,), but only accep",
    ),
    "staticmethod": (lambda j: j.jit(staticmethod(abs)), "staticmethod arguments are not supported"),
    "another structure than compiled": (
        lambda j: j.jit(abs).lower(1.0).compile()([1.0]),
        "Function compiled with input pytree does not match the input pytree it was called with",
    ),
    "vmap of what is compiled": (
        lambda j: j.vmap(j.jit(abs).lower(1.0).compile())(V),
        "Cannot apply JAX transformations to a function lowered and compiled for a particular signature",
    ),
    "variance of vectors": (
        lambda j: j.nn.initializers.he_normal()(j.random.key(0), (3,)),
        "weights tensor with default in_axis. Must be at least 2D or specify in_axis explicitly",
    ),
}
