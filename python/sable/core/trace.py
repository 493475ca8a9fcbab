"""Tracing: Python functions to closed functions (DESIGN, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sable.errors import UnexpectedTracerError
from sable.ir.aval import Aval
from sable.ir.function import Function, Variable
from sable.ir.literal import Literal
from sable.ir.location import user_line, user_location
from sable.ir.op import OPS, Op

from .array import Array, Value, check_index, check_scalar, check_truth
from .concretization import (
    array_error,
    bool_error,
    concretization_error,
    created,
    index_error,
    method_error,
    scalar_error,
)
from .evaluation import evaluate
from .state import STATE


class Tracer(Value):
    """A value of a function under construction: an abstract value and a variable of a `Trace`'s function."""

    __slots__ = ("aval", "line", "owner", "value")

    def __init__(self, aval: Aval, value: Variable, trace: Trace):
        self.aval = aval
        self.value = value
        self.owner = trace

    def __repr__(self) -> str:
        return describe(self, ("~" if self.aval.weak_type else "") + self.aval.short())

    def known_array(self) -> Array | None:
        """The value, where it has been computed already."""
        return self.owner.known.get(self.value)

    def _concrete(self, fail: Callable[[Tracer], Exception]) -> Array:
        """The value, where it is known: in a trace of derivatives, even if that has ended."""
        known = self.owner.evaluate(self.value) if self.owner.live else self.known_array()
        if known is None:
            raise fail(self)
        return known

    def _underived(self, fail: Callable[[Tracer], Exception]) -> Array:
        """The value for what would lose the derivative: an error even where it is known, but where a rule gives that."""
        if not self.owner.opaque:
            raise fail(self)
        return self._concrete(fail)

    def __bool__(self) -> bool:
        if self.aval.size != 1:
            check_truth(self.aval)
        return bool(self._concrete(bool_error))

    def __int__(self) -> int:
        check_scalar(self.aval)
        return int(self._concrete(lambda t: scalar_error(t, "int")))

    def __float__(self) -> float:
        check_scalar(self.aval)
        return float(self._underived(lambda t: scalar_error(t, "float")))

    def __complex__(self) -> complex:
        check_scalar(self.aval)
        return complex(self._underived(lambda t: scalar_error(t, "complex")))

    def __index__(self) -> int:
        check_index(self.aval)
        return self._concrete(index_error).__index__()

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self._underived(array_error).__array__(*args, **kwargs)

    def item(self, *args: Any) -> Any:
        """The element as a Python scalar, where it is known."""
        return self._concrete(
            lambda t: concretization_error(t, "This occurred in the item() method of jax.Array")
        ).item(*args)

    def tolist(self) -> Any:
        """Nested lists of Python scalars, where a rule of the user's gives the derivative."""
        return self._underived(lambda t: method_error(t, "tolist")).tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        """The elements' bytes, where a rule of the user's gives the derivative."""
        return self._underived(lambda t: method_error(t, "tobytes")).tobytes(order)

    def block_until_ready(self) -> Tracer:
        """Nothing to wait for."""
        return self

    def __reduce__(self) -> Any:
        raise concretization_error(
            self,
            "The error occurred in the __reduce__ method, which may indicate an attempt to serialize/pickle a traced value.",
        )

    def __copy__(self) -> Tracer:
        return self

    def __deepcopy__(self, memo: Any) -> Tracer:
        return self


def _unknown_method(name: str) -> Callable:
    """A method that asks for what is not known while tracing: where an array is, its memory."""

    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        raise method_error(self, name)

    return method


def _unknown_property(name: str) -> property:
    def get(self: Tracer) -> Any:
        raise concretization_error(self, f"The '{name}' attribute is not available on a traced array.")

    return property(get)


for _name in (
    "__dlpack__",
    "addressable_data",
    "delete",
    "devices",
    "is_deleted",
    "on_device_size_in_bytes",
    "unsafe_buffer_pointer",
):
    setattr(Tracer, _name, _unknown_method(_name))
for _name in ("addressable_shards", "committed", "global_shards", "is_fully_addressable", "is_fully_replicated"):
    setattr(Tracer, _name, _unknown_property(_name))


# how JAX calls the values that each transformation hands to a function; in staged traces: JitTracer
_TRACERS = {"vmap": "VmapTracer", "jvp": "JVPTracer", "jacfwd": "JVPTracer"}


def describe(tracer: Tracer, type_of_it: str) -> str:
    """`JitTracer(~float32[])`: whose value it is, and the type that users see."""
    owner = tracer.owner
    return f"{'JitTracer' if owner.staged else _TRACERS.get(owner.kind, 'GradTracer')}({type_of_it})"


def check_live(tracer: Tracer) -> None:
    """Raise UnexpectedTracerError where the tracer's function is finished."""
    if not tracer.owner.live:
        raise UnexpectedTracerError(
            f"Encountered an unexpected tracer. A function transformed by Sable had a side effect: an intermediate value "
            f"with type {tracer.aval.short()} wrapped in a Tracer escaped the scope of the transformation.\n"
            f"The function being traced when the value leaked was {tracer.owner.name} traced for {tracer.owner.kind}.\n"
            f"The leaked value was created on line {created(tracer)} and used at {user_line()}.\n"
            "Return the value from the function instead of saving it to global state, a closure or an attribute. "
            "To find the leak, see jax.checking_leaks()."
        )


class Trace:
    """One function under construction.

    Attributes:
      function: what has been recorded.
      staged: True for `jit` and for bodies of control flow; False for derivatives and batching outside of `jit`.
      captures: outer tracers, arrays and references that became arguments behind the function's own.
      known: in an unstaged trace, variable -> Array for what has been computed already.
      knowable: values that could be computed from known ones but have not been (results of calls and what follows).
      live: False once tracing has ended.
      axis: name and size of the axis along which this trace is one example.
      opaque: the function is not differentiated, a rule of the user's gives its derivative.
      journal: present values of the references that the function has touched and that were there before it; in an
        unstaged trace those that it has written (see `core.references`).
      written: the references among them that it has written.
      parent: the trace in which this one was opened.
    """

    __slots__ = (
        "_places",
        "argument_names",
        "axis",
        "captures",
        "depth",
        "function",
        "journal",
        "kind",
        "knowable",
        "known",
        "live",
        "name",
        "opaque",
        "outer",
        "parent",
        "place",
        "staged",
        "written",
    )

    def __init__(self, avals: Sequence[Aval], staged: bool, name: str = "f", kind: str = "jit", place: str = ""):
        self.function = Function(avals, name)
        self.staged = staged
        self.name = name
        self.kind = kind
        self.place = place
        self.captures: list[Any] = []
        self._places: dict[int, tuple[Variable, Value]] = {}
        self.known: dict[Variable, Array] = {}
        self.knowable: set[Variable] = set()
        self.argument_names: list[str] = []
        self.depth = STATE.depth + 1
        self.live = True
        self.axis: tuple[str, int] | None = None
        self.opaque = False
        self.outer: dict[Variable, Tracer] = {}  # knowable arguments
        self.journal: dict[Any, Value] = {}
        self.written: dict[Any, None] = {}
        self.parent: Trace | None = None

    def lift(self, x: Value) -> Variable:
        """The variable of x in this function: its own, a constant, or a captured argument."""
        if type(x) is Tracer:
            if not x.owner.live:
                check_live(x)
            if x.owner is self:
                return x.value
        found = self._places.get(id(x))
        if found is not None:
            return found[0]
        if self.staged and type(x) is Array and x.constant:
            value = self._constant(x)
        else:
            value = self.function.add_argument(x.aval)
            self.captures.append(x)
            if not self.staged:
                self._note(value, x)
        self._places[id(x)] = (value, x)  # an id is only good as long as its object lives
        return value

    def _constant(self, x: Array) -> Variable:
        literal = Literal(x.aval, x.numpy())
        return self.function.emit(OPS["constant"], [], {"value": literal}, [x.aval], user_location())[0]

    def _note(self, value: Variable, x: Value) -> None:
        found = x.known_array()
        if found is not None:
            self.known[value] = found
        elif x.value in x.owner.knowable:  # type: ignore[attr-defined]
            self.knowable.add(value)
            self.outer[value] = x  # type: ignore[assignment]

    def asked(self) -> None:
        """Somebody asks whether a value is known, and goes another way if it is; see `sable.core.values.concrete`."""

    def evaluate(self, value: Variable) -> Array | None:
        """The value as an array, computed now if need be; None where it depends on what is not known."""
        found = self.known.get(value)
        if found is not None or value not in self.knowable:
            return found
        todo: list[tuple[Trace, Variable]] = [(self, value)]  # no recursion: chains are as long as programs
        while todo:
            trace, wanted = todo[-1]
            missing = None if wanted in trace.known else trace._evaluate_from_known(wanted)
            if missing:
                todo += reversed(missing)
            else:
                todo.pop()
        return self.known[value]

    def _evaluate_from_known(self, value: Variable) -> list[tuple[Trace, Variable]]:
        """Compute a knowable value, and the other results of its op, if all that it needs is known; else what is missing."""
        node = self.function.producer(value)
        if node is None:
            outer = self.outer[value]
            found = outer.owner.known.get(outer.value)
            if found is None:
                return [(outer.owner, outer.value)]
            self.known[value] = found
            return []
        missing: list[tuple[Trace, Variable]] = [(self, v) for v in node.operands if v not in self.known]
        if missing:
            return missing
        made = evaluate(node.op, [self.known[v] for v in node.operands], node.params)
        self.known.update(zip(node.results, made if node.op.multiple_results else (made,)))
        return []

    def finish(self, outputs: Sequence[Value]) -> Function:
        """Close the function; from now on its tracers are dead."""
        values = [self.lift(x) for x in outputs]
        self.live = False
        self._places = {}  # values of outer traces, which may end before this one is forgotten
        return self.function.finish(values, [x.aval for x in outputs])


class tracing:
    """Context in which a trace is open: `with tracing(trace): ...`."""

    __slots__ = ("_saved", "trace")

    def __init__(self, trace: Trace):
        self.trace = trace

    def __enter__(self) -> Trace:
        self._saved = (STATE.depth, STATE.scope, STATE.staged, STATE.location, STATE.axes, STATE.axis_traces)
        STATE.depth = self.trace.depth
        self.trace.parent, STATE.scope = STATE.scope, self.trace
        STATE.location = None
        if self.trace.axis is not None:
            name, size = self.trace.axis
            STATE.axes = {**STATE.axes, name: size}
            STATE.axis_traces = {**STATE.axis_traces, name: self.trace}
        if self.trace.staged:
            STATE.staged = self.trace
        return self.trace

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        STATE.depth, STATE.scope, STATE.staged, STATE.location, STATE.axes, STATE.axis_traces = self._saved
        self.trace.parent = None
        if error is not None:
            self.trace.live = False


def deepest(values: Sequence[Value]) -> Trace | None:
    """The trace that an op on these values goes to: the deepest of theirs and the innermost staged one."""
    trace = STATE.staged
    for x in values:
        if type(x) is Tracer and (trace is None or x.owner.depth > trace.depth):
            trace = x.owner
    return trace


def emit(trace: Trace, op: Op, values: Sequence[Value], params: dict, outs: Sequence[Aval]) -> list[Tracer]:
    """Record an op in a trace."""
    lift = trace.lift
    operands = [lift(x) for x in values]
    results = trace.function.emit(op, operands, params, outs, STATE.location or user_location())
    return [Tracer(a, v, trace) for a, v in zip(outs, results)]
