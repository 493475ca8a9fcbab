"""Our passes over modules, as `sable-opt` and `sable-compile` know them (table: `sable.passes.registry.PASSES`).

A transformation reads one function of a module and adds new ones beside it; every other function stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sable.dialects.ops.rules import expand, is_inexact
from sable.ir.aval import Aval
from sable.ir.bindings import CONTEXT, UNKNOWN, ir
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import OPS, Op, interpret
from sable.ir.writing import FunctionOperation

from .assemble import Assembler, append, declare, drop_unused, symbols, take_over
from .batch import batch
from .importer import Importer, is_declaration
from .ir_tools import CONTROL_FLOW, is_private, walk
from .jvp import jvp_function
from .kernels import NotAKernel
from .legalize.loops import ROUTES, LoopOptions, lower_loops
from .legalize.loops_to_blocks import loops_to_blocks
from .linearize import linearize, linearize_function
from .lower import LoweringBuilder, on_target
from .registry import NoOptions, OptionError, option, register
from .transpose import transpose, transpose_function

_FUNCTION = "the function's symbol; @main or else the first public function"
_NAME = "symbol of the new function; <function>_{0} by default"


def choose_function(module: ir.Module, name: str | None) -> str:
    """The symbol of the function that a pass is about.

    Raises:
      OptionError: no function of that name, or none was given and none is public.
    """
    functions = {n: op for n, op in symbols(module).items() if op.name == "func.func" and not is_declaration(op)}
    known = ", ".join(f"@{n}" for n in functions) or "none"
    if name is not None:
        if name.removeprefix("@") not in functions:
            raise OptionError(f"there is no function @{name.removeprefix('@')} with a body; the module has {known}")
        return name.removeprefix("@")
    public = [n for n, op in functions.items() if not is_private(op)]
    if "main" in functions:
        return "main"
    if not public:
        raise OptionError(f"which function? function=... must say, as none is public; the module has {known}")
    return public[0]


def _flags(given: Sequence[bool] | None, avals: Sequence[Aval], what: str) -> tuple[bool, ...]:
    """One flag for each value; by default the floating-point ones.

    Raises:
      OptionError: another number of flags, or a flag on a value that has no tangents.
    """
    if given is None:
        return tuple(is_inexact(a) for a in avals)
    if len(given) != len(avals):
        raise OptionError(f"{what}: expected {len(avals)} flags, one for each, got {len(given)}")
    for k, (on, a) in enumerate(zip(given, avals)):
        if on and not is_inexact(a):
            raise OptionError(f"{what}: number {k} is {a.short()}, which has no tangents")
    return tuple(given)


def _add(module: ir.Module, importer: Importer, made: Mapping[str, Function]) -> ir.Module:
    taken = symbols(module)
    for name in made:
        if name in taken:
            raise OptionError(f"the module already has a symbol @{name}; name=... chooses another")
    append(module, made, importer.known)
    return module


def _annotate(module: ir.Module, name: str, **attributes: Any) -> None:
    """Attributes of the dialect on a function: what its types do not tell."""
    operation = symbols(module)[name]
    with CONTEXT, UNKNOWN:
        for key, value in attributes.items():
            if isinstance(value, list):
                attribute = ir.DenseBoolArrayAttr.get(value)
            else:
                attribute = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
            operation.attributes[f"sable.{key}"] = attribute


@dataclass(frozen=True)
class JvpOptions:
    """Options of --jvp."""

    function: str | None = option(None, _FUNCTION)
    active: tuple[bool, ...] | None = option(None, "for each argument whether it has a tangent; by default all floats")
    name: str | None = option(None, _NAME.format("jvp"))


@register("jvp", "adds the forward derivative: arguments, then tangents, to results, then their tangents", JvpOptions)
def _jvp(module: ir.Module, options: JvpOptions) -> ir.Module:
    source = choose_function(module, options.function)
    importer = Importer(module)
    function = importer.function(source)
    made, there = jvp_function(function, _flags(options.active, function.in_avals, "active"))
    name = options.name or f"{source}_jvp"
    _add(module, importer, {name: made})
    _annotate(module, name, active_results=there)
    return module


@dataclass(frozen=True)
class LinearizeOptions:
    """Options of --linearize."""

    function: str | None = option(None, _FUNCTION)
    active: tuple[bool, ...] | None = option(None, "for each argument whether it has a tangent; by default all floats")
    name: str | None = option(None, "start of both symbols; <function> by default")


@register(
    "linearize",
    "adds @f_forward (arguments to results and residuals) and @f_linear (tangents and residuals to tangents)",
    LinearizeOptions,
)
def _linearize(module: ir.Module, options: LinearizeOptions) -> ir.Module:
    source = choose_function(module, options.function)
    importer = Importer(module)
    function = importer.function(source)
    made = linearize_function(function, _flags(options.active, function.in_avals, "active"))
    base = options.name or source
    _add(module, importer, {f"{base}_forward": made.forward, f"{base}_linear": made.linear})
    _annotate(module, f"{base}_forward", residuals=made.residuals)
    _annotate(module, f"{base}_linear", residuals=made.residuals, active_results=list(made.active))
    return module


@dataclass(frozen=True)
class TransposeOptions:
    """Options of --transpose."""

    function: str | None = option(None, _FUNCTION)
    linear: tuple[bool, ...] | None = option(None, "for each argument whether the function is linear in it")
    name: str | None = option(None, _NAME.format("transpose"))


@register(
    "transpose",
    "adds the transpose of a linear function: other arguments, then cotangents of its results, to cotangents",
    TransposeOptions,
)
def _transpose(module: ir.Module, options: TransposeOptions) -> ir.Module:
    source = choose_function(module, options.function)
    importer = Importer(module)
    function = importer.function(source)
    linear = options.linear
    if linear is None:
        linear = _linear_arguments(module, source, function)
    flags = _flags(linear, function.in_avals, "linear")
    made = transpose_function(function, flags, _flags(None, function.out_avals, "results"))
    return _add(module, importer, {options.name or f"{source}_transpose": made})


def _linear_arguments(module: ir.Module, name: str, function: Function) -> tuple[bool, ...] | None:
    """Of what --linearize made: all but the residuals; else unknown."""
    attributes = symbols(module)[name].attributes
    if "sable.residuals" not in attributes:
        return None
    n, count = len(function.in_avals), ir.IntegerAttr(attributes["sable.residuals"]).value
    return (*[True] * (n - count), *[False] * count)


@dataclass(frozen=True)
class GradOptions:
    """Options of --grad."""

    function: str | None = option(None, _FUNCTION)
    argnums: tuple[int, ...] = option((0,), "arguments with respect to which; 0 by default")
    value: bool = option(False, "return the value too, before the gradients")
    name: str | None = option(None, _NAME.format("grad"))


@register("grad", "adds the gradient of a function with one scalar result: linearize, transpose, seed 1", GradOptions)
def _grad(module: ir.Module, options: GradOptions) -> ir.Module:
    source = choose_function(module, options.function)
    importer = Importer(module)
    function = importer.function(source)
    active = _active(options.argnums, function)
    out = function.out_avals[0] if len(function.out_avals) == 1 else None
    if out is None or out.ndim or not is_inexact(out) or out.dtype.kind == "c":
        outs = ", ".join(a.short() for a in function.out_avals)
        raise OptionError(f"grad: @{source} must have one floating-point scalar result, but returns ({outs})")
    made = Function(function.in_avals, f"{source}_grad")
    b = FunctionBuilder(made)
    found = linearize(function, made.arguments, active, b, instantiate=(True,))
    moving = [i for i, on in enumerate(active) if on]
    linear = [True] * len(moving) + [False] * len(found.residuals)
    args = [*[None] * len(moving), *found.residuals]
    cotangents = transpose(found.linear, linear, args, [b.full(out, 1)], b)
    by_argument = dict(zip(moving, cotangents))
    outs = list(found.outs) if options.value else []
    for i in options.argnums:
        i %= len(function.in_avals)
        ct = by_argument[i]
        outs.append(b.full(function.in_avals[i], 0) if ct is None else ct)
    return _add(module, importer, {options.name or f"{source}_grad": made.finish(outs)})


def _active(argnums: Sequence[int], function: Function) -> tuple[bool, ...]:
    n = len(function.in_avals)
    for i in argnums:
        if not -n <= i < n:
            raise OptionError(f"argnums: there is no argument {i}; @{function.name} takes {n}")
    chosen = {i % n for i in argnums}
    return _flags([i in chosen for i in range(n)], function.in_avals, "argnums")


@dataclass(frozen=True)
class BatchOptions:
    """Options of --batch."""

    size: int | None = option(None, "number of examples (required)")
    function: str | None = option(None, _FUNCTION)
    in_axes: tuple[int | None, ...] | None = option(None, "for each argument its batch axis or none; 0 by default")
    out_axes: tuple[int | None, ...] | None = option(
        None, "for each result its batch axis, none if it is equal for all; 0 by default"
    )
    axis_name: str | None = option(None, "name under which collectives know the axis")
    name: str | None = option(None, _NAME.format("batched"))


@register("batch", "adds a function of many examples, from one of one example", BatchOptions)
def _batch(module: ir.Module, options: BatchOptions) -> ir.Module:
    if options.size is None or options.size < 0:
        raise OptionError(f"batch: size=... must say how many examples there are, got {options.size}")
    source = choose_function(module, options.function)
    importer = Importer(module)
    function = importer.function(source)
    in_axes = _axes(options.in_axes, function.in_avals, "in-axes")
    out_axes = _axes(options.out_axes, function.out_avals, "out-axes")
    avals = [_with_axis(a, axis, options.size) for a, axis in zip(function.in_avals, in_axes)]
    made = Function(avals, f"{source}_batched")
    b = FunctionBuilder(made)
    args = [x if axis is None else _move(b, x, axis, 0) for x, axis in zip(made.arguments, in_axes)]
    mapped = [axis is not None for axis in in_axes]
    outs, marks = batch(function, args, mapped, options.size, b, options.axis_name)
    outs = [_place(b, *found, options.size, k) for k, found in enumerate(zip(outs, marks, out_axes))]
    return _add(module, importer, {options.name or f"{source}_batched": made.finish(outs)})


def _axes(given: Sequence[int | None] | None, avals: Sequence[Aval], what: str) -> tuple[int | None, ...]:
    if given is None:
        return (0,) * len(avals)
    if len(given) != len(avals):
        raise OptionError(f"{what}: expected {len(avals)} axes, one for each, got {len(given)}")
    for k, (axis, a) in enumerate(zip(given, avals)):
        if axis is not None and not -a.ndim - 1 <= axis <= a.ndim:
            raise OptionError(
                f"{what}: axis {axis} of number {k} is out of range: with the batch it has rank {a.ndim + 1}"
            )
    return tuple(None if axis is None else axis % (a.ndim + 1) for axis, a in zip(given, avals))


def _with_axis(a: Aval, axis: int | None, size: int) -> Aval:
    return a if axis is None else a.update(shape=(*a.shape[:axis], size, *a.shape[axis:]))


def _move(b: Any, x: Any, source: int, destination: int) -> Any:
    if source == destination:
        return x
    order = [i for i in range(len(b.aval(x).shape)) if i != source]
    order.insert(destination, source)
    return b.transpose(x, permutation=tuple(order))


def _place(b: Any, x: Any, mapped: bool, axis: int | None, size: int, k: int) -> Any:
    """A result with its batch axis where it is wanted."""
    if axis is None and mapped:
        raise OptionError(f"out-axes: result {k} differs between examples, so it needs an axis")
    if axis is None:
        return x
    return _move(b, x if mapped else expand(b, x, size), 0, axis)


@dataclass(frozen=True)
class RaiseOptions:
    """Options of --raise."""

    function: str | None = option(None, "only this function; by default all with control flow")


@register("raise", "StableHLO loops and branches with regions to sable ops that name functions", RaiseOptions)
def _raise(module: ir.Module, options: RaiseOptions) -> ir.Module:
    importer = Importer(module, check=False)
    wanted = None if options.function is None else choose_function(module, options.function)
    chosen = [n for n in _with_control_flow(module) if wanted is None or n == wanted]
    functions = {name: importer.function(name) for name in chosen}
    assembler = Assembler(module, importer.known)
    for name, function in functions.items():
        assembler.add(name, function, like=symbols(module)[name])
    assembler.run()
    return module


def _with_control_flow(module: ir.Module) -> list[str]:
    functions = {n: op for n, op in symbols(module).items() if op.name == "func.func"}
    return [
        name
        for name, operation in functions.items()
        if any(op.name in CONTROL_FLOW for block in operation.regions[0].blocks for op in walk(block))
    ]


@dataclass(frozen=True)
class LowerOptions:
    """Options of --lower."""

    function: str | None = option(None, "only this function; by default all public ones")
    platform: str = option("cpu", "whose traps are legalised: cpu, vulkan or cuda; any for plain StableHLO")
    native: bool = option(
        False, "calls of native kernels where ops have one (on CPUs), for programs run by the library"
    )


_PLATFORMS = ("cpu", "vulkan", "cuda")


def _check_choice(name: str, given: str, choices: Sequence[str]) -> None:
    if given not in choices:
        raise OptionError(f"{name}: expected one of {', '.join(choices)}, got '{given}'")


@register(
    "lower", "sable ops to StableHLO that IREE takes: calls inlined, loops and branches with regions", LowerOptions
)
def _lower(module: ir.Module, options: LowerOptions) -> ir.Module:
    _check_choice("platform", options.platform, (*_PLATFORMS, "any"))
    if options.native and options.platform != "cpu":
        raise OptionError(f"native: only cpu has native kernels, not '{options.platform}'")
    importer = Importer(module)
    if options.function is not None:
        chosen = [choose_function(module, options.function)]
    else:
        functions = symbols(module).items()
        chosen = [n for n, f in functions if f.name == "func.func" and not is_declaration(f) and not is_private(f)]
    hosts: dict[str, Any] = {}
    found = symbols(module)
    for name, function in [(name, importer.function(name)) for name in chosen]:
        _lowered(function, options, hosts, found[name])
    with CONTEXT, UNKNOWN:
        ip = ir.InsertionPoint.at_block_begin(module.body)
        for name, callback in hosts.items():
            declare(name, callback.in_avals, callback.out_avals, ip)
    _drop_unused_private(module, [n for n in importer.known.values() if n not in chosen])
    return module


def _drop_unused_private(module: ir.Module, names: Sequence[str]) -> None:
    found = symbols(module)
    drop_unused(module, [n for n in names if is_private(found[n])])


def _lowered(function: Function, options: LowerOptions, hosts: dict[str, Any], like: ir.Operation) -> None:
    """Write a lowered function in the place of `like`."""
    function = on_target(function, options.platform)
    made = FunctionOperation(function.in_avals, ir.InsertionPoint(like))
    b = LoweringBuilder(made.ip, options.platform, options.native)
    b.hosts = hosts  # shared, so that functions of one module agree about names
    b.write_body(function, made, made.arguments)
    take_over(made.operation, like)
    like.erase()


@register("loops-to-blocks", "StableHLO loops and branches to cf blocks, as IREE compiles them rightly; inlines calls")
def _loops_to_blocks(module: ir.Module, options: NoOptions) -> ir.Module:
    loops_to_blocks(module)
    return module


@dataclass(frozen=True)
class LowerLoopsOptions:
    """Options of --lower-loops."""

    platform: str = option("cpu", "cpu, vulkan or cuda; only CPUs have loop kernels")
    route: str = option("auto", "auto: kernels where they pay; blocks: no kernels; kernel: one kernel or an error")


@register(
    "lower-loops", "StableHLO loops and branches to kernels where that pays, else to cf blocks", LowerLoopsOptions
)
def _lower_loops(module: ir.Module, options: LowerLoopsOptions) -> ir.Module:
    _check_choice("platform", options.platform, _PLATFORMS)
    _check_choice("route", options.route, ROUTES)
    try:
        return lower_loops(module, LoopOptions(target_platform=options.platform, route=options.route)).module
    except NotAKernel as error:
        raise OptionError(f"route: the program cannot be one kernel: {error}") from error


@dataclass(frozen=True)
class InlineCallsOptions:
    """Options of --inline-calls."""

    function: str | None = option(None, _FUNCTION)


class _Inliner(FunctionBuilder):
    """Writes the callee's operations in the place of a call."""

    def bind(self, op: Op, *operands: Any, **params: Any) -> Any:
        if op is OPS["call"]:
            return tuple(interpret(params["callee"], operands, self))
        return super().bind(op, *operands, **params)


@register("inline-calls", "inlines every call in a function, also of functions with sable ops", InlineCallsOptions)
def _inline_calls(module: ir.Module, options: InlineCallsOptions) -> ir.Module:
    source = choose_function(module, options.function)
    importer = Importer(module)
    function = importer.function(source)
    made = Function(function.in_avals, source)
    made.finish(interpret(function, made.arguments, _Inliner(made)), function.out_avals)
    known = {f: name for f, name in importer.known.items() if f is not function}
    assembler = Assembler(module, known)
    assembler.add(source, made, like=symbols(module)[source])
    assembler.run()
    _drop_unused_private(module, list(known.values()))
    return module


__all__ = ["choose_function"]
