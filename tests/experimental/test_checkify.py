"""`checkify`: what fails is found as in JAX, through jit, loops, branches, vmap and grad."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import sable
import sable.experimental
import sable.numpy as jnp
from sable.experimental import checkify as ours


class Library:
    """The modules that a program is written with."""

    def __init__(self, jax: ModuleType, checkify: Any):
        self.jax, self.np, self.lax, self.checkify = jax, jax.numpy, jax.lax, checkify

    def root(self, x: Any) -> Any:
        """A function with a check."""
        self.checkify.check(x > 0, "{} must be {y}", x, y=self.np.ones(2))
        return self.np.sqrt(x)

    def scanned(self, xs: Any) -> Any:
        """A loop with a check and a division."""

        def body(c: Any, x: Any) -> tuple:
            self.checkify.check(x < 3, "step {} carry {}", x, c)
            return c + x, c / x

        return self.lax.scan(body, 0.0, xs)

    def counted(self, n: Any) -> Any:
        """A loop whose condition and body have checks."""

        def cond(s: Any) -> Any:
            self.checkify.check(s < 8, "cond {}", s)
            return s < n

        def body(s: Any) -> Any:
            self.checkify.check(s != 5, "body {}", s)
            return s + 1

        return self.lax.while_loop(cond, body, 0)

    def either(self, p: Any, x: Any) -> Any:
        """Branches with checks."""

        def positive(x: Any) -> Any:
            self.checkify.check(x > 0, "true {}", x)
            return x

        def negative(x: Any) -> Any:
            self.checkify.check(x < 0, "false {}", x)
            return 2 * x

        return self.lax.cond(p, positive, negative, x)

    def ruled(self) -> Any:
        """A function with a derivative of its own."""
        made = self.jax.custom_jvp(self.root)
        made.defjvp(lambda p, t: (self.root(*p), t[0] * 2))
        return made


F, I = np.float32, np.int32
VECTOR = np.arange(5, dtype=np.float32)
ALL, NAN, FLOAT, DIV, INDEX, USER = "all_checks nan_checks float_checks div_checks index_checks user_checks".split()  # noqa: SIM905
#: name -> (program of a library, arguments, what is looked for)
CASES: dict[str, tuple[Callable[[Library], Callable], tuple, str]] = {
    "user": (lambda o: o.root, (F(-1),), USER),
    "user, none": (lambda o: o.root, (F(1),), USER),
    "not looked for": (lambda o: o.root, (F(-1),), INDEX),
    "jit": (lambda o: o.jax.jit(o.root), (F(-1),), USER),
    "nan": (lambda o: lambda x: o.np.log(x) + 1, (F(-1),), NAN),
    "division": (lambda o: lambda x: 1 / x, (np.zeros(3, F),), FLOAT),
    "division of integers": (lambda o: lambda x: 3 // x, (np.zeros(3, I),), DIV),
    "index": (lambda o: lambda x, i: x[i], (VECTOR, I(7)), INDEX),
    "index from the end": (lambda o: lambda x, i: x[i], (VECTOR, I(-3)), INDEX),
    "index before": (lambda o: lambda x, i: x[i], (VECTOR, I(-8)), INDEX),
    "indices": (lambda o: lambda x, i: x[i], (np.ones((3, 4), F), np.array([1, 5, 9], I)), INDEX),
    "indices of columns": (lambda o: lambda x, i: x[:, i], (np.ones((3, 4), F), np.array([1, 2, -9], I)), INDEX),
    "set": (lambda o: lambda x, i: x.at[i].set(2), (VECTOR, I(7)), INDEX),
    "add": (lambda o: lambda x, i: x.at[i].add(2), (VECTOR, np.array([1, 7], I)), INDEX),
    "dynamic slice": (lambda o: lambda x, i: o.lax.dynamic_slice(x, (i,), (2,)), (VECTOR, I(4)), INDEX),
    "take": (lambda o: lambda x, i: o.np.take(x, i, axis=0), (VECTOR, np.array([3, 6], I)), INDEX),
    "scan": (lambda o: o.scanned, (VECTOR,), USER),
    "scan, which first": (lambda o: o.scanned, (VECTOR,), ALL),
    "scan, none": (lambda o: o.scanned, (VECTOR[:3],), USER),
    "while, none": (lambda o: o.counted, (I(4),), USER),
    "while, body": (lambda o: o.counted, (I(7),), USER),
    "cond": (lambda o: o.either, (np.True_, F(-1)), USER),
    "cond, other": (lambda o: o.either, (np.False_, F(1)), USER),
    "cond, none": (lambda o: o.either, (np.False_, F(-1)), USER),
    "vmap": (lambda o: o.jax.vmap(o.root), (np.array([1, -2, -3, 1], F),), USER),
    "vmap of scan": (lambda o: o.jax.vmap(o.scanned), (np.arange(6, dtype=F).reshape(2, 3),), USER),
    "vmap of cond": (lambda o: o.jax.vmap(o.either), (np.array([True, False]), np.array([-1, 1], F)), USER),
    "grad": (lambda o: o.jax.grad(o.root), (F(-1),), USER),
    "nan of a derivative": (lambda o: o.jax.grad(lambda x: o.np.sqrt(x) * 0 + x), (F(0),), FLOAT),
    "checkpoint": (lambda o: o.jax.grad(o.jax.checkpoint(o.root)), (F(-1),), USER),
    "custom_jvp": (lambda o: o.ruled(), (F(-1),), USER),
    "custom_jvp, derivative": (lambda o: o.jax.grad(o.ruled()), (F(-1),), USER),
    "relu": (lambda o: o.jax.nn.relu, (F(np.nan),), NAN),
    "product": (lambda o: lambda x: x @ x, (np.array([[-np.inf, np.inf], [np.inf, np.inf]], F),), NAN),
    "first of two": (
        lambda o: lambda x: (o.checkify.check(x > 0, "first"), o.checkify.check(x > 1, "second"), 1 / (x * 0))[2],
        (F(-1),),
        ALL,
    ),
    "debug": (lambda o: lambda x: (o.checkify.debug_check(x > 0, "below {}", x), x)[1], (F(-1),), USER),
    "of checked": (
        lambda o: lambda x: (o.checkify.check_error(o.jax.jit(o.checkify.checkify(o.root))(x)[0]), x)[1],
        (F(-1),),
        USER,
    ),
}
#: Those that are compiled besides.
COMPILED = {"user", "scan, which first", "while, body", "cond", "indices", "vmap"}


def outcome(o: Library, name: str, compiled: bool) -> tuple:
    """The message, and the leaves of the results."""
    program, args, errors = CASES[name]
    checked = o.checkify.checkify(program(o), errors=getattr(o.checkify, errors))
    error, out = (o.jax.jit(checked) if compiled else checked)(*map(o.np.asarray, args))
    return error.get(), [np.asarray(x) for x in o.jax.tree.leaves(out)]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:.*jax.experimental.shard_map:DeprecationWarning")
def test_errors_are_those_of_jax(name: str) -> None:
    jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")
    checkify = pytest.importorskip("jax.experimental.checkify")
    message, leaves = outcome(Library(jax, checkify), name, compiled=False)
    for compiled in [False, True] if name in COMPILED else [False]:
        found, results = outcome(OURS, name, compiled)
        assert found == message
        for x, y in zip(results, leaves, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-6)


OURS = Library(sable, ours)


def test_errors_of_examples() -> None:
    error, _ = sable.vmap(ours.checkify(OURS.root))(jnp.array([1.0, -2.0, -3.0]))
    lines = [
        "at mapped index 1: -2.0 must be [1. 1.] (`check` failed)",
        "at mapped index 2: -3.0 must be [1. 1.] (`check` failed)",
    ]
    assert error.get() == "\n".join(lines)
    with pytest.raises(ours.JaxRuntimeError, match=r"-3.0 must be"):
        error.throw()


def test_a_checked_loop_is_mapped() -> None:
    """JAX refuses it."""
    error, out = ours.checkify(sable.vmap(OURS.counted))(jnp.array([3, 7]))
    assert error.get() == "body 5 (`check` failed)" and out.tolist() == [3, 7]


def test_errors_do_not_disturb_derivatives() -> None:
    slope, error = sable.grad(lambda x: ours.checkify(OURS.root)(x)[::-1], has_aux=True)(4.0)
    assert slope == 0.25 and error.get() is None and str(error) == "Error(None)"


def test_what_is_not_functional_is_raised_at_once_or_refused() -> None:
    with pytest.raises(ours.JaxRuntimeError, match=r"-1\.0 must be") as raised:
        OURS.root(jnp.float32(-1))
    assert type(raised.value.__cause__).__name__ == "FailedCheckError"
    with pytest.raises(ours.JaxRuntimeError, match=r"-2\.0 must be"):
        sable.vmap(OURS.root)(-jnp.arange(3.0))
    with pytest.raises(ValueError, match=r"Cannot abstractly evaluate a checkify\.check which was not functionalized"):
        sable.jit(OURS.root)(1.0)
    assert sable.jit(lambda x: (ours.debug_check(x > 0, "below"), x)[1])(-1.0) == -1


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match="check takes a scalar pred as argument, got 1"):
        ours.check(1, "x")
    with pytest.raises(TypeError, match="debug_check takes a scalar pred"):
        ours.debug_check(jnp.ones(2) > 0, "x")
    with pytest.raises(TypeError, match="PyTrees of arrays, but got 1 of type"):
        ours.check(True, "x", 1)
    with pytest.raises(TypeError, match="check_error takes an Error as argument, got type"):
        ours.check_error(3)


def test_integers_of_python_are_looked_at() -> None:
    checked = ours.checkify(lambda x, i: x[i], errors=ours.index_checks)
    for x in (VECTOR, sable.numpy.asarray(VECTOR)):
        assert checked(x, 4)[0].get() is None
        assert checked(x, 5)[0].get().startswith("out-of-bounds indexing")
