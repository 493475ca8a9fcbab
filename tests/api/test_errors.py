"""The classes of `jax.errors`: raised by the programs that raise them in JAX; messages name the function, argument and line."""

from __future__ import annotations

import itertools
import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

V = np.ones(4, np.float32)
MATRIX = np.ones((2, 3), np.float32)
I = np.arange(4, dtype=np.int32)
TABLE = np.arange(10)
ONE = np.float32(1)

Program = Callable[[Any], Any]


def jitted(body: Callable[[Any, Any], Any], argument: Any) -> Program:
    """`body(module, argument)` within jit, in a function `program` of an argument `value`."""

    def run(j: Any) -> Any:
        def program(value: Any) -> Any:
            return body(j, value)

        return j.jit(program)(argument)

    return run


def differentiated(body: Callable[[Any], Any]) -> Program:
    def run(j: Any) -> Any:
        def program(value: Any) -> Any:
            return body(value) * value

        return j.grad(program)(ONE)

    return run


def mapped(body: Callable[[Any], Any], argument: Any) -> Program:
    def run(j: Any) -> Any:
        def program(value: Any) -> Any:
            return body(value)

        return j.vmap(program)(argument)

    return run


def _assert(x: Any) -> None:
    assert x


#: class -> what is done to a traced value: name -> (body of the module and the value, value)
TRACED: dict[str, dict[str, tuple[Callable[[Any, Any], Any], Any]]] = {
    "ConcretizationTypeError": {
        "axis": (lambda j, n: j.numpy.sum(MATRIX, axis=n), 0),
        "new axis": (lambda j, n: j.numpy.expand_dims(V, n), 0),
        "float": (lambda j, x: float(x), ONE),
        "int": (lambda j, x: int(x), ONE),
        "complex": (lambda j, x: complex(x), ONE),
        "item": (lambda j, x: x.item(), ONE),
        "tolist": (lambda j, x: x.tolist(), V),
        "tobytes": (lambda j, x: x.tobytes(), V),
        "math": (lambda j, x: math.sin(x), ONE),
        "places of a mask": (lambda j, x: j.numpy.where(x > 0), V),
        "nonzero": (lambda j, x: j.numpy.nonzero(x), V),
        "unique": (lambda j, x: j.numpy.unique(x), V),
        "intersection": (lambda j, x: j.numpy.intersect1d(x, x), V),
        "arange": (lambda j, n: j.numpy.arange(n), 3),
        "linspace": (lambda j, n: j.numpy.linspace(0, 1, n), 3),
        "repeat": (lambda j, n: j.numpy.repeat(V, n), I),
        "bincount": (lambda j, n: j.numpy.bincount(n), I),
        "segments": (lambda j, n: j.ops.segment_sum(V, n), I),
        "classes": (lambda j, n: j.nn.one_hot(I, n), 3),
        "parts": (lambda j, n: j.numpy.split(V, n), 2),
        "width of pad": (lambda j, n: j.numpy.pad(V, n), 2),
        "length of scan": (lambda j, n: j.lax.scan(lambda c, x: (c, x), 1.0, None, length=n), 3),
        "deletion": (lambda j, n: j.numpy.delete(V, n), I),
        "choice": (lambda j, n: j.numpy.choose(n, [I, I]), I),
        "pickle": (lambda j, x: pickle.dumps(x), ONE),
        "devices": (lambda j, x: x.devices(), ONE),
        "memory": (lambda j, x: x.unsafe_buffer_pointer(), V),
        "dlpack": (lambda j, x: np.from_dlpack(x), V),
    },
    "TracerBoolConversionError": {
        "if": (lambda j, x: x if x > 0 else -x, ONE),
        "and": (lambda j, x: x > 0 and x < 1, ONE),
        "not": (lambda j, x: not x, ONE),
        "chain": (lambda j, x: 0 < x < 1, ONE),
        "max": (lambda j, x: max(x, 0.0), ONE),
        "sorted": (lambda j, x: sorted(x), V),
        "assert": (lambda j, x: _assert(x > 0), ONE),
        "in an array": (lambda j, x: 1.0 in x, V),
        "in a list": (lambda j, x: x in [1.0, 2.0], ONE),
        "all": (lambda j, x: all(x), V),
        "filter": (lambda j, x: list(filter(None, x)), V),
        "allclose": (lambda j, x: 1 if j.numpy.allclose(x, x) else 2, V),
    },
    "TracerIntegerConversionError": {
        "range": (lambda j, n: list(range(n)), 3),
        "index of a list": (lambda j, n: [1, 2, 3][n], 1),
        "slice of a list": (lambda j, n: [1, 2, 3][:n], 1),
        "slice of NumPy's": (lambda j, n: TABLE[:n], 2),
        "index of a text": (lambda j, n: "abc"[n], 1),
        "hex": (lambda j, n: hex(n), 2),
        "operator.index": (lambda j, n: operator.index(n), 2),
        "count": (lambda j, n: enumerate([1], n), 2),
        "decimals": (lambda j, n: round(1.5, n), 1),
    },
    "TracerArrayConversionError": {
        "sin": (lambda j, x: np.sin(x), ONE),
        "asarray": (lambda j, x: np.asarray(x), V),
        "list": (lambda j, x: np.array([x]), ONE),
        "index of NumPy's": (lambda j, n: TABLE[n], 1),
        "indices of NumPy's": (lambda j, n: TABLE[n], I),
        "mask of NumPy's": (lambda j, x: TABLE[x], TABLE > 2),
        "take": (lambda j, n: np.take(TABLE, n), 2),
        "float32": (lambda j, x: np.float32(x), ONE),
        "stack": (lambda j, x: np.stack([x, x]), V),
    },
    "NonConcreteBooleanIndexError": {
        "read": (lambda j, x: x[x > 0], V),
        "scalar": (lambda j, x: x[x[0] > 0], V),
        "one of two": (lambda j, x: x[:, x[0] > 0], MATRIX),
        "set": (lambda j, x: x.at[x > 0].set(0), V),
        "add": (lambda j, x: x.at[x > 0].add(1), V),
        "get": (lambda j, x: x.at[x > 0].get(), V),
    },
}

#: (name, class, program); in all of them the function is `program`, and its argument `value`
OF_PROGRAM = [
    *((f"{n} in jit", c, jitted(*case)) for c, cases in TRACED.items() for n, case in cases.items()),
    *(
        (f"{f.__name__} in vmap", c, mapped(f, x))
        for c, f, x in (
            ("ConcretizationTypeError", float, V),
            ("TracerBoolConversionError", bool, V),
            ("TracerIntegerConversionError", operator.index, I),
            ("TracerArrayConversionError", np.sin, V),
        )
    ),
    ("mask in vmap", "NonConcreteBooleanIndexError", mapped(lambda x: x[x > 0], MATRIX)),
    *(
        (f"{f.__name__} in grad", c, differentiated(f))
        for c, f in (
            ("ConcretizationTypeError", float),
            ("ConcretizationTypeError", complex),
            ("ConcretizationTypeError", math.floor),
            ("TracerArrayConversionError", np.sin),
        )
    ),
]


def leaked(use: Callable[[Any, Any], Any], transform: str = "jit", argument: Any = ONE) -> Program:
    def run(j: Any) -> Any:
        kept: list = []

        def program(value: Any) -> Any:
            kept.append(value)
            return value

        getattr(j, transform)(program)(argument)
        return use(j, kept[0])

    return run


def inner_leak(j: Any) -> Any:
    def program(value: Any) -> Any:
        kept: list = []
        j.jit(lambda y: kept.append(y))(value)
        return kept[0] + value

    return j.jit(program)(ONE)


def scan_leak(j: Any) -> Any:
    kept: list = []

    def program(carry: Any, value: Any) -> Any:
        kept.append(carry)
        return carry, value

    j.lax.scan(program, 0.0, V)
    return j.numpy.sin(kept[0])


def traced_static(j: Any) -> Any:
    function = j.custom_vjp(lambda n, x: x * x, nondiff_argnums=(0,))
    function.defvjp(lambda n, x: (x, x), lambda n, r, t: (t * r,))
    return j.jit(lambda n: j.grad(function, 1)(n, 1.0))(1)


def reusing(body: Callable[[Any, Any], Any]) -> Program:
    def run(j: Any) -> Any:
        with j.debug_key_reuse(True):
            return body(j, j.random.key(0))

    return run


def guarded(body: Program, level: str) -> Program:
    def run(j: Any) -> Any:
        with j.transfer_guard(level):
            return body(j)

    return run


def donated(*numbers: int) -> Program:
    def run(j: Any) -> Any:
        x = j.numpy.ones(3)
        return j.jit(lambda a, b: (a + b, a - b), donate_argnums=numbers)(x, x)

    return run


def _fail(x: Any) -> Any:
    raise ValueError("no result")


def compiled_callback(callback: Callable) -> Program:
    return lambda j: np.asarray(j.jit(lambda x: j.pure_callback(callback, x, x))(ONE))


def printing(j: Any) -> None:
    j.jit(lambda x: (j.debug.callback(_fail, x), x)[1])(ONE)
    j.effects_barrier()


#: (name, class, program, words of the message)
OTHERS: list[tuple[str, str, Program, tuple[str, ...]]] = [
    ("used after jit", "UnexpectedTracerError", leaked(lambda j, x: x + 1), ("program",)),
    ("used after grad", "UnexpectedTracerError", leaked(lambda j, x: x + 1, "grad"), ("program",)),
    ("used after vmap", "UnexpectedTracerError", leaked(lambda j, x: x + 1, "vmap", V), ("program",)),
    ("used after scan", "UnexpectedTracerError", scan_leak, ("program",)),
    ("used in an outer trace", "UnexpectedTracerError", inner_leak, ()),
    ("passed to another", "UnexpectedTracerError", leaked(lambda j, x: j.jit(lambda y: y)(x)), ("program",)),
    ("returned by another", "UnexpectedTracerError", leaked(lambda j, x: j.jit(lambda y: x)(1.0)), ("program",)),
    ("nondiff_argnums", "UnexpectedTracerError", traced_static, ("nondiff_argnums",)),
    ("leak to NumPy", "TracerArrayConversionError", leaked(lambda j, x: np.asarray(x)), ("program", "leaked")),
    ("leak to NumPy from grad", "TracerArrayConversionError", leaked(lambda j, x: np.sin(x), "grad"), ("leaked",)),
    ("leak to if", "TracerBoolConversionError", leaked(lambda j, x: bool(x)), ("program", "leaked")),
    ("leak to float", "ConcretizationTypeError", leaked(lambda j, x: float(x)), ("program", "leaked")),
    ("twice", "KeyReuseError", reusing(lambda j, k: [j.random.normal(k), j.random.normal(k)]), ("normal",)),
    ("split", "KeyReuseError", reusing(lambda j, k: [j.random.split(k), j.random.normal(k)]), ("normal",)),
    (
        "twice in jit",
        "KeyReuseError",
        reusing(lambda j, k: j.jit(lambda k: j.random.bits(k) + j.random.bits(k))(k)),
        ("bits",),
    ),
    (
        "in a loop",
        "KeyReuseError",
        reusing(lambda j, k: j.lax.fori_loop(0, 3, lambda i, x: x + j.random.normal(k), 0.0)),
        ("loop",),
    ),
    (
        "carried",
        "KeyReuseError",
        reusing(lambda j, k: j.lax.fori_loop(0, 3, lambda i, s: (s[0], s[1] + j.random.normal(s[0])), (k, 0.0))),
        ("scan", "split"),
    ),
    (
        "implicit transfer",
        "JaxRuntimeError",
        guarded(lambda j: j.numpy.sin(V), "disallow"),
        ("float32[4]", "device_put"),
    ),
    (
        "explicit transfer",
        "JaxRuntimeError",
        guarded(lambda j: j.device_put(V), "disallow_explicit"),
        ("float32[4]", "transfer_guard"),
    ),
    ("donated and used", "JaxRuntimeError", donated(0), ("<lambda>", "donate_argnums")),
    ("donated twice", "JaxRuntimeError", donated(0, 1), ("<lambda>", "donate_argnums")),
    ("callback in jit", "JaxRuntimeError", compiled_callback(_fail), ("_fail", "ValueError: no result")),
    ("callback", "JaxRuntimeError", lambda j: np.asarray(j.pure_callback(_fail, ONE, ONE)), ("_fail",)),
    ("shape of a callback's", "JaxRuntimeError", compiled_callback(lambda x: V), ("(4,)",)),
    ("debug.callback", "JaxRuntimeError", printing, ("_fail", "ValueError: no result")),
    ("memory", "JaxRuntimeError", lambda j: j.numpy.zeros((1 << 30, 1 << 30)), ("RESOURCE_EXHAUSTED: Out of memory",)),
    (
        "memory of a sum",
        "JaxRuntimeError",
        lambda j: (j.numpy.ones((1 << 20, 1)) + j.numpy.ones((1, 1 << 25))).block_until_ready(),
        ("RESOURCE_EXHAUSTED: Out of memory",),
    ),
]

CASES = list(itertools.chain(((*case, ("program", "value")) for case in OF_PROGRAM), OTHERS))


@pytest.mark.parametrize(("name", "program", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_jaxs_class_and_a_message_that_helps(name: str, program: Program, words: tuple[str, ...]) -> None:
    with pytest.raises(Exception) as theirs:
        program(jax)
    assert type(theirs.value).__name__ == name
    with pytest.raises(getattr(sable.errors, name)) as ours:
        program(sable)
    assert ours.type.__name__ == name
    message = str(ours.value)
    for word in (*words, "test_errors.py:", f"docs/errors/{name}.md"):
        assert word in message


def test_a_compiled_program_without_memory() -> None:
    def program(x: Any) -> Any:
        return sable.numpy.broadcast_to(x, (1 << 24, 1 << 24)) + 1

    with pytest.raises(sable.errors.JaxRuntimeError, match=r"the program 'program' failed: .*RESOURCE_EXHAUSTED"):
        sable.jit(program)(1.0)


def test_values_that_derivatives_know() -> None:
    for module in (jax, sable):
        assert leaked(lambda j, x: [bool(x), int(x), x.item()], "grad")(module) == [True, 1, 1.0]
        assert module.grad(lambda x: x * int(x) if x > 0 else x)(2.0) == 2.0


def test_text_of_a_traced_value_takes_no_format() -> None:
    for module in (jax, sable):
        with pytest.raises(TypeError, match="unsupported format string"):
            module.jit(lambda x: f"{x:.2f}" and x)(1.0)
