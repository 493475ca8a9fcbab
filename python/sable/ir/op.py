"""The op table: an op is one row, made by `defop`, and a row says everything there is to know about the op.

A rule never sees how its values are represented. It gets a *builder* `b` and calls ops on it by name
(`b.multiply(t, b.cosine(x))`), so that one text evaluates NumPy arrays, emits MLIR, or does both at once.
What a rule may use of a builder:

    b.<op name>(*operands, **params)     any op of the table; a tuple of values if the op has several results
    b.bind(op, *operands, **params)      the same with an `Op` in hand
    b.aval(x) -> Aval                    shape and dtype of a value
    b.full(aval, value)                  a constant array of one repeated Python scalar
    b.literal(array)                     a constant from a NumPy array (small: it is written into the program)
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .aval import Aval, aval_of
from .bindings import UNKNOWN
from .codec import SymbolCodec
from .eager import EagerPolicy
from .form import OperationForm
from .function_rules import FunctionRules
from .literal import Literal
from .narrow import narrows, reference
from .native import NativeKernel


@dataclass(frozen=True)
class Linear:
    """Marks an operand in which an op is linear (its other operands held fixed).

    `rule(b, t, y, *operands, **params)` gives the tangent of the result. Without a rule it is the op itself with the
    tangent in the operand's place (`LINEAR`), or, where `jointly`, with tangents in the places of all jointly linear
    operands and zeros for those that have none (`JOINT`: concatenate, pad, select ...).
    """

    rule: Callable | None = None
    jointly: bool = False


@dataclass(frozen=True)
class Refused:
    """Stands for the rule of an operand in which an op has a derivative, but nobody has it: an error says so."""

    error: type[Exception]
    message: str

    def __call__(self, *args: Any, **params: Any) -> Any:
        raise self.error(self.message)


LINEAR = Linear()
JOINT = Linear(jointly=True)


@dataclass(frozen=True)
class Sample:
    """One input of an op for the generated tests.

    Attributes:
      operands: NumPy arrays (their shapes and dtypes give the avals).
      params: the op's parameters.
      rtol, atol: tolerance of IREE against the reference meaning, in units of the result.
      grad: False where finite differences make no sense (kinks, ties, integer parts).
      why: the reason when `grad` is False or a tolerance is unusual.
    """

    operands: tuple[np.ndarray, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    rtol: float = 1e-5
    atol: float = 1e-6
    grad: bool = True
    why: str = ""


Shape = tuple[int, ...]

#: of all operands, however many there are
EVERY = sys.maxsize


@dataclass(frozen=True)
class Traits:
    """What passes over modules ask of an operation.

    Attributes:
      cost: machine operations to an element of the results: 0 for what only renames or repeats, some 10 for a
        transcendental function.
      in_place: IREE writes each result over the operand of the same number.
      shares: of how many of its first operands a result may share the buffer.
      no_kernel: why the operation has no form in a loop kernel; empty where it has one.
      work: `(shapes of operands, shapes of results, attributes) -> machine operations` of one execution, where it is not
        `cost` for each element of the results.
      contraction: sums of products, which compilers tile.
      transcendental: a function that processors have no instruction for.
      constant: gives what somebody has written into the program, or repeats it.
      extended: how integers of parts of bytes become bytes, where the meaning depends on it: by "zeros" or by their
        "sign", or as the "upper" bits, with a one behind them; by default as their dtype says.
    """

    cost: int = 1
    in_place: bool = False
    shares: int = 0
    no_kernel: str = ""
    work: Callable[[Sequence[Shape], Sequence[Shape], Any], int] | None = None
    contraction: bool = False
    transcendental: bool = False
    constant: bool = False
    extended: str = ""

    def work_on(self, operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
        """Machine operations of one execution."""
        if self.work is None:
            return self.cost * sum(map(math.prod, results))
        return self.work(operands, results, attributes)


@dataclass(frozen=True, eq=False)
class Op:
    """A row of the table; see `defop`."""

    name: str
    dialect: str
    operands: tuple[str, ...]
    variadic: bool
    params: Mapping[str, Any]
    type: Callable[..., Any]
    ref: Callable[..., Any]
    jvp: Mapping[str, Any] | Callable | None
    transpose: Mapping[str, Callable]
    batch: Any
    samples: Callable[[], Sequence[Sample]]
    multiple_results: bool = False
    effects: bool = False
    form: Any = None
    lower: Callable | None = None
    native: NativeKernel | None = None
    eager: EagerPolicy | None = None
    functions: tuple[str, ...] = ()
    rules: Any = None
    collective: Callable | None = None
    traits: Traits = Traits()
    primitive: str = ""
    moves: bool = False

    @property
    def calls_host(self) -> bool:
        """Whether a function of the host is called."""
        return any(self.params[p].role == "host" for p in self.functions)

    @property
    def mlir_name(self) -> str:
        """`stablehlo.sine`: the operation that the op is written as."""
        return self.form.mlir_name

    def __repr__(self) -> str:
        return f"<op {self.dialect}.{self.name}>"

    def __str__(self) -> str:
        return self.name

    def operand_name(self, i: int) -> str:
        """Name of operand number i; the last name of a variadic op stands for all from there on."""
        return self.operands[min(i, len(self.operands) - 1)]


_MISSING: Any = object()

#: every op by its name
OPS: dict[str, Op] = {}


def defop(
    name: str,
    *,
    operands: tuple[str, ...],
    type: Callable,
    ref: Callable,
    jvp: Any = _MISSING,
    transpose: Any = _MISSING,
    batch: Any = _MISSING,
    samples: Any = _MISSING,
    functions: FunctionRules | None = None,
    params: Mapping[str, Any] | None = None,
    dialect: str = "stablehlo",
    multiple_results: bool = False,
    effects: bool = False,
    form: Any = None,
    lower: Callable | None = None,
    native: NativeKernel | None = None,
    eager: EagerPolicy | None = None,
    collective: Callable | None = None,
    traits: Traits = Traits(),
    primitive: str | None = None,
    moves: bool = False,
) -> Op:
    """Define an op. Every rule is required, so that an omission fails at import and not in a user's program.

    Args:
      name: the StableHLO (or CHLO, or sable) mnemonic; `b.<name>` in rules.
      operands: operand names; of a variadic op the last one has a leading `*` and stands for all operands from there on.
      type: `type(*avals, **params) -> Aval` (a tuple of them with `multiple_results`); raises TypeError or
        ValueError in the user's terms.
      ref: `ref(*arrays, **params) -> array`: the meaning, with NumPy; a result has the shape and dtype that `type`
        says (0-d results may be NumPy scalars). Runs with floating-point warnings silenced.
      jvp: operand name -> `rule(b, t, y, *operands, **params)` giving that operand's contribution to the result's
        tangent from its tangent `t` and the result `y`; or `LINEAR`, `JOINT`, `Linear(rule)` where the op is linear
        in the operand; or `Refused`. Operands left out have no derivative. With several results: `rule` returns a tuple with None
        for zero, and y is a tuple. A callable `rule(b, tangents, y, *operands, **params)` for the whole op instead
        of a mapping where contributions do not separate (`tangents`: None where zero). None: no derivative at all
        (integers, comparisons).
      transpose: operand name -> `rule(b, ct, avals, *operands, **params)` giving the operand's cotangent from the
        result's; `avals` are those of all operands; operands which are linear are None, the others values. Exactly
        for the operands that `jvp` marks as linear. Transposes never conjugate. For a variadic op every
        rule is `rule(b, ct, avals, *operands, index, **params)` with the operand's number.
      batch: `rule(b, op, size, operands, mapped, **params)` with batched operands' batch axis at 0 and
        `mapped` telling which those are (at least one); every result is batched at 0.
      samples: `() -> [Sample, ...]`, inputs for the generated tests.
      functions: for ops whose parameters name functions, and for these only, in place of `jvp`, `transpose`, `batch`,
        `samples` and `lower`: see `FunctionRules`.
      params: parameter name -> codec (`sable.ir.codec`) which writes it as an MLIR attribute and reads it.
      form: how the op is written as an MLIR operation, where the default (an operation of the same name without
        regions, attributes by `params`) will not do; see `sable.ir.form`.
      collective: for ops over named axes (parameter `axes`): `rule(b, op, axis_name, size, operands, mapped, **params)`
        applied by `batch` for the axis of that name; returns the result and whether it is mapped.
      lower: `rule(b, *operands, **params)` in terms of other StableHLO ops: for ops outside StableHLO and CHLO, and for
        those of StableHLO that IREE does not know.
      traits: what passes over modules ask, see `Traits`.
      native: the C function that is the op's eager meaning and that programs for CPUs call, where the target allows it;
        everywhere else the op is lowered. `ref` remains its meaning where there is no native module, and in tests.
      primitive: the name that jaxprs have for the op, where it is another; `{param}` stands for a parameter in lower case.
      moves: results hold elements of operands as they are, or their bits: of any dtype, whatever it means.
      eager: from what work on an eager op on the CPU is a compiled program, where NumPy takes long; None: never.
    """
    if name in OPS:
        raise ValueError(f"op {name} is defined twice")
    variadic = bool(operands) and operands[-1].startswith("*")
    names = tuple(o.lstrip("*") for o in operands)
    named = tuple(p for p, c in (params or {}).items() if isinstance(c, SymbolCodec))
    given = {"jvp": jvp, "transpose": transpose, "batch": batch, "samples": samples}
    _check_rules(name, given, named, functions)
    if functions is not None:
        jvp, transpose, batch, samples, lower = None, {}, None, functions.samples, functions.lower
    if isinstance(jvp, Mapping):
        linear = {o for o, rule in jvp.items() if isinstance(rule, Linear)}
        if linear != set(transpose):
            raise ValueError(f"op {name}: linear in {sorted(linear)} but has transposes for {sorted(transpose)}")
        unknown = set(jvp) - set(names)
        if unknown:
            raise ValueError(f"op {name}: derivative rules for unknown operands {sorted(unknown)}")
    if dialect == "sable" and lower is None:
        raise ValueError(f"op {name} is not a StableHLO op and needs a lowering")
    if native is not None and lower is None:
        raise ValueError(f"op {name} has a native kernel and needs a lowering for targets without it")
    op = Op(
        name=name,
        dialect=dialect,
        operands=names,
        variadic=variadic,
        params=dict(params or {}),
        type=type,
        ref=ref,
        jvp=jvp,
        transpose=dict(transpose),
        batch=batch,
        samples=samples,
        multiple_results=multiple_results,
        effects=effects,
        form=form or OperationForm(f"{dialect}.{name}", dict(params or {})),
        lower=lower,
        native=native,
        eager=eager,
        collective=collective,
        traits=traits,
        functions=named,
        rules=functions,
        primitive=primitive or getattr(type, "lax_name", name),
        moves=moves,
    )
    OPS[name] = op
    assert not hasattr(Builder, name), f"builders have a method {name} that is no op"

    def apply(self: Builder, *operands: Any, **params: Any) -> Any:
        return self.bind(op, *operands, **params)

    setattr(Builder, name, apply)
    return op


def _check_rules(name: str, given: Mapping[str, Any], named: Sequence[str], functions: FunctionRules | None) -> None:
    """An op has the rules of ordinary ops, or those of ops that name functions: all of them, and not both."""
    if bool(named) != (functions is not None):
        what = f"names functions ({', '.join(named)}) and needs" if named else "names no functions and takes no"
        raise ValueError(f"op {name} {what} rules for functions (`functions=`)")
    if functions is None:
        missing = [rule for rule, value in given.items() if value is _MISSING]
        if missing:
            raise ValueError(f"op {name} lacks {', '.join(missing)}")
        return
    extra = [rule for rule, value in given.items() if value is not _MISSING]
    if extra:
        raise ValueError(f"op {name} names functions: {', '.join(extra)} are among the rules for functions")


class Builder:
    """Base of all builders. Every op is a method: `b.sine(x)`, `b.slice(x, start_indices=...)`.

    Attributes:
      location: of what is emitted from now on, as the builder's `at` was last told; None if nobody knows.
    """

    location: Any = None
    #: values of this builder are those that users' functions take
    runs_rules = False

    def at(self, location: Any) -> None:
        """Give that location to what is emitted from now on."""
        self.location = location

    def bind(self, op: Op, *operands: Any, **params: Any) -> Any:
        raise NotImplementedError

    def again(self, node: Any, operands: Sequence[Any]) -> Any:
        """What a node of a function does, on other operands."""
        return self.bind(node.op, *operands, **node.params)

    def aval(self, x: Any) -> Aval:
        raise NotImplementedError

    if TYPE_CHECKING:  # `defop` adds a method for each op

        def __getattr__(self, name: str) -> Callable: ...

    def run_rule(self, rule: Any, values: Sequence[Any]) -> Sequence[Any]:
        """Results of a derivative rule that a user gave (a `Deferred`)."""
        return interpret(rule.get(), values, self)

    def full(self, aval: Aval, value: Any) -> Any:
        """A constant of one repeated scalar."""
        return self.bind(OPS["constant"], value=Literal.full(aval, value))

    def literal(self, array: np.ndarray) -> Any:
        """A constant with the values of a NumPy array."""
        return self.bind(OPS["constant"], value=Literal.of(array))


#: Inferred result types by (op, operand avals, params). Emptied when full: programs with ever new shapes.
_INFERRED: dict[tuple, Any] = {}
_INFERRED_SIZE = 1024


def infer(op: Op, avals: tuple[Aval, ...], params: dict) -> Any:
    """Result aval (a tuple of them for ops with several results) by the op's type rule, memoised.

    Raises:
      TypeError, ValueError: the rule refuses the operands.
    """
    if op.functions or not avals:
        return op.type(*avals, **params)
    key = (op, avals, *params.items())
    found = _INFERRED.get(key)
    if found is None:
        found = op.type(*avals, **params)
        if len(_INFERRED) >= _INFERRED_SIZE:
            _INFERRED.clear()
        _INFERRED[key] = found
    return found


class NumpyBuilder(Builder):
    """Evaluates at once with the reference meanings, on NumPy arrays: tests and constant folding."""

    def bind(self, op: Op, *operands: Any, **params: Any) -> Any:
        with np.errstate(all="ignore"):
            out = self.meaning(op, operands, params)(*operands, **params)
        return tuple(np.asarray(o) for o in out) if op.multiple_results else np.asarray(out)

    @staticmethod
    def meaning(op: Op, operands: Sequence[Any], params: dict[str, Any]) -> Callable[..., Any]:
        """The op's reference meaning on these operands."""
        avals = tuple([aval_of(np.asarray(x)) for x in operands])
        if not any(a.narrow for a in avals) and not narrows(params):
            return op.ref
        outs = op.type(*avals, **params)
        return reference(op, avals, outs if op.multiple_results else (outs,))

    def aval(self, x: Any) -> Aval:
        return aval_of(x)


def interpret(function: Any, args: Sequence[Any], b: Any) -> list[Any]:
    """Evaluate a function with any builder: inlining, copying, and the reference meaning of ops that name functions."""
    env = dict(zip(function.arguments, args))
    outer = b.location
    location = outer
    for node in function.nodes():
        if node.location is not location:  # comparing them takes longer, and neighbours are mostly of one line
            location = node.location
            b.at(location if location != UNKNOWN else outer)
        out = b.again(node, [env[v] for v in node.operands])
        if node.op.multiple_results:
            env.update(zip(node.results, out))
        else:
            env[node.results[0]] = out
    b.at(outer)
    return [env[v] for v in function.outputs]
