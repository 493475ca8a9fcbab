"""Plans of the native module: programs written as inner loops, views and calls.

Each value of a program lies at a *place*: a register and, as an array over a stand-in for the register's memory, shape
and strides. Ops that only move data by strides make a new place in the same register and take no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sable.core.array import Array
from sable.core.evaluation import meaning_of
from sable.core.state import STATE
from sable.ir.aval import Aval
from sable.ir.native_form import loop_of
from sable.pytree import registry as pytree

from .program import Program, Step, Unplannable

_ARGUMENT, _SCALAR, _CONSTANT, _SCRATCH, _MADE, _RETURNED = range(6)
#: bytes: where a scratch register may start
_ALIGNMENT = 64
#: results up to this many elements that are not laid out densely are copied: they would keep a larger array alive
_SMALL = 4096
#: loops of ours that only ask how wide the elements are
_BY_WIDTH = frozenset(("copy", "select", "shift_right_logical"))
#: Loops that compute otherwise, by a unit in the last place, where an operand is repeated: x**2 as x * x.
_OTHERWISE_FOR_SCALARS = frozenset((np.power,))


@dataclass(eq=False)
class _Register:
    origin: int
    memory: np.ndarray  # a stand-in of its shape and dtype, never read; the array itself of a constant
    leaf: int = 0
    made_by: int = -1  # number of the emission that fills it
    last_use: int = -1
    boxed: bool = False  # somebody needs it as a NumPy array
    dense: bool = False  # somebody counts on C order
    place: int = 0


@dataclass(eq=False)
class _Place:
    register: int
    array: np.ndarray  # over the register's memory


@dataclass(eq=False)
class _Loop:
    native: Any  # (ufunc, number) or (name, types)
    places: list[_Place]
    shape: tuple[int, ...]
    strides: list[tuple[int, ...]]  # by operand


@dataclass(eq=False)
class _Call:
    function: Any
    inputs: list[_Place]
    results: list[int]
    multiple: bool


class _Writer:
    """Turns a program's steps into emissions, then those into a plan."""

    def __init__(self, program: Program):
        self.program = program
        self.registers: list[_Register] = []
        self.places: dict[int, _Place] = {}
        self.emissions: list[_Loop | _Call] = []
        for i, (a, scalar) in enumerate(zip(program.leaves, program.is_scalar)):
            self.places[i] = self._register(_SCALAR if scalar else _ARGUMENT, np.empty(a.shape, a.dtype), i)

    def write(self) -> Any:
        for step in self.program.steps:
            self._step(step)
        results = [self._result(k, a) for k, a in zip(self.program.outputs, self.program.out_avals)]
        self._look(results)
        return self._plan(results)

    # ---- places
    def _register(self, origin: int, memory: np.ndarray, leaf: int = 0) -> _Place:
        self.registers.append(_Register(origin, memory, leaf))
        return _Place(len(self.registers) - 1, memory)

    def _place(self, k: int) -> _Place:
        found = self.places.get(k)
        if found is None:  # a constant that is used
            array = np.ascontiguousarray(self.program.constants[k]).reshape(self.program.avals[k].shape)
            found = self.places[k] = self._register(_CONSTANT, array)
        return found

    def _fresh(self, a: Aval) -> _Place:
        return self._register(_SCRATCH, np.empty(a.shape, a.dtype))

    # ---- steps
    def _step(self, step: Step) -> None:
        operands = [self._place(k) for k in step.operands]
        outs = [self.program.avals[k] for k in step.results]
        for form in (self._view, self._loop, self._reduce, self._assemble):
            if form(step, operands, outs):
                return
        self._call(step, operands, outs)

    def _view(self, step: Step, operands: Sequence[_Place], outs: Sequence[Aval]) -> bool:
        view = getattr(step.op.ref, "native_view", None)
        if view is None:
            return False
        source = operands[0]
        made = view(source.array, **step.params)
        if made.shape != outs[0].shape or made.dtype != outs[0].dtype or not _within(made, source.array):
            return False
        self.places[step.results[0]] = _Place(source.register, made)
        return True

    def _loop(self, step: Step, operands: Sequence[_Place], outs: Sequence[Aval]) -> bool:
        dtypes = [x.array.dtype for x in operands]
        found = loop_of(step.op.ref, dtypes, step.params)
        if isinstance(found, tuple):
            return self._sequence(found, step, operands, outs[0])
        native = None if found is None else _native_loop(found, dtypes, [a.dtype for a in outs])
        if native is None:
            return False
        made = [self._fresh(a) for a in outs]
        shape = outs[0].shape
        if found in _OTHERWISE_FOR_SCALARS:
            operands = [self._written_out(x, shape) for x in operands]
        self.emissions.append(_nest(native, [*operands, *made], shape))
        self.places.update(zip(step.results, made))
        return True

    def _written_out(self, x: _Place, shape: tuple[int, ...]) -> _Place:
        """An operand of a loop over a shape, as an array of this shape if it would be repeated."""
        if x.array.shape == shape and 0 not in x.array.strides:
            return x
        whole = self._register(_SCRATCH, np.empty(shape, x.array.dtype))
        self._copy(x, whole)
        return whole

    def _sequence(self, ufuncs: tuple, step: Step, operands: Sequence[_Place], out: Aval) -> bool:
        natives = [_native_loop(f, [out.dtype] * len(names), [out.dtype]) for f, names in ufuncs]
        if None in natives:
            return False
        values = list(operands)
        for native, (_, names) in zip(natives, ufuncs):
            inputs = [values[k] if type(k) is int else self._scalar(k, out.dtype) for k in names]
            values.append(self._fresh(out))
            self.emissions.append(_nest(native, [*inputs, values[-1]], out.shape))  # type: ignore[arg-type]
        self.places[step.results[0]] = values[-1]
        return True

    def _scalar(self, value: Any, dtype: np.dtype) -> _Place:
        return self._register(_CONSTANT, np.asarray(value, dtype))

    def _assemble(self, step: Step, operands: Sequence[_Place], outs: Sequence[Aval]) -> bool:
        assemble = getattr(step.op.ref, "native_places", None)
        if assemble is None:
            return False
        out = self._fresh(outs[0])
        for x, part in zip(operands, assemble(out.array, *[x.array for x in operands], **step.params)):
            self._copy(x, _Place(out.register, part))
        self.places[step.results[0]] = out
        return True

    def _copy(self, x: _Place, y: _Place) -> None:
        self.emissions.append(_nest(("copy", str(x.array.itemsize)), [x, y], y.array.shape))

    def _reduce(self, step: Step, operands: Sequence[_Place], outs: Sequence[Aval]) -> bool:
        choose = getattr(step.op.ref, "native_reduction", None)
        if choose is None or not operands[0].array.size or not operands[0].array.flags.c_contiguous:
            return False
        x = operands[0]
        dtype, dimensions = x.array.dtype, step.params["dimensions"]
        ufunc = choose(x.array, dimensions)
        if ufunc is None:
            return False
        native = None if dtype.itemsize == 2 and dtype.kind in "fV" else _native_loop(ufunc, [dtype] * 2, [dtype])
        if native is None:
            return False
        y = self._fresh(outs[0])
        kept = [n if d not in dimensions else 1 for d, n in enumerate(x.array.shape)]
        spread = _Place(y.register, np.broadcast_to(y.array.reshape(kept), x.array.shape))
        if ufunc.identity is None:  # the first elements, once more in their turn: these ufuncs do not mind
            first = x.array[(*[slice(0, 1) if d in dimensions else slice(None) for d in range(x.array.ndim)], ...)]
            start = _Place(x.register, first.reshape(outs[0].shape))
        else:
            start = self._register(_CONSTANT, np.asarray(ufunc.identity).astype(dtype))
        self._copy(start, y)
        self.emissions.append(_nest(native, [spread, x, spread], x.array.shape))
        self.places[step.results[0]] = y
        return True

    def _call(self, step: Step, operands: Sequence[_Place], outs: Sequence[Aval]) -> None:
        made = [self._register(_RETURNED, np.empty(a.shape, a.dtype)) for a in outs]
        meaning = meaning_of(step.op, [self.program.avals[k] for k in step.operands], step.params)
        self.emissions.append(_Call(meaning, list(operands), [y.register for y in made], step.op.multiple_results))
        self.places.update(zip(step.results, made))

    def _result(self, k: int, a: Aval) -> tuple[Aval, _Place]:
        place = self._place(k)
        whole = _is_whole(place, self.registers)
        keeps = self.registers[place.register].memory.size > place.array.size
        if not whole and place.array.size <= _SMALL and (keeps or not place.array.flags.c_contiguous):
            copy = self._fresh(a)
            self._copy(place, copy)
            place = copy
        return a, place

    # ---- where registers lie
    def _look(self, results: Sequence[tuple[Aval, _Place]]) -> None:
        """Note who uses which register, when and how."""
        for n, e in enumerate(self.emissions):
            places = e.places if isinstance(e, _Loop) else e.inputs
            for x in places:
                r = self.registers[x.register]
                r.last_use = n
                if r.made_by < 0:
                    r.made_by = n
                whole = _is_whole(x, self.registers)
                r.boxed |= isinstance(e, _Call)
                r.dense |= isinstance(e, _Loop) or not whole
        for _, x in results:
            r = self.registers[x.register]
            r.boxed = True
            r.dense |= not _is_whole(x, self.registers)
        for r in self.registers:
            if r.origin == _SCRATCH and r.boxed:
                r.origin = _MADE

    def _allocate(self) -> int:
        """Give the scratch registers their places, which are used again by registers of the same size; bytes."""
        free: dict[int, list[int]] = {}
        total = 0
        living: list[_Register] = []
        order = sorted((r for r in self.registers if r.origin == _SCRATCH), key=lambda r: r.made_by)
        for r in order:
            size = -(-r.memory.nbytes // _ALIGNMENT) * _ALIGNMENT
            for old in [o for o in living if o.last_use < r.made_by]:
                living.remove(old)
                free.setdefault(-(-old.memory.nbytes // _ALIGNMENT) * _ALIGNMENT, []).append(old.place)
            if free.get(size):
                r.place = free[size].pop()
            else:
                r.place, total = total, total + size
            living.append(r)
        return total

    # ---- the plan
    def _plan(self, results: Sequence[tuple[Aval, _Place]]) -> Any:
        native = pytree.implementation
        if len(self.registers) > native.MAX_REGISTERS:
            raise Unplannable(f"it is long: {len(self.registers)} values")
        scratch = self._allocate()
        plan = native.Plan(Array, STATE)
        for r in self.registers:
            constant = r.memory if r.origin == _CONSTANT else None
            dense = not r.boxed if r.origin == _SCALAR else r.dense
            place = r.leaf if r.origin in (_ARGUMENT, _SCALAR) else r.place
            plan.add_register(r.origin, r.memory.dtype, constant, r.memory.shape, place, dense)
        for e in self.emissions:
            if isinstance(e, _Call):
                plan.add_call(e.function, [self._spec(x) for x in e.inputs], e.results, e.multiple)
                continue
            add = plan.add_own_loop if isinstance(e.native[0], str) else plan.add_ufunc
            bases = [x.register for x in e.places]
            offsets = [self._offset(x) for x in e.places]
            strides = [s[d] for d in range(len(e.shape)) for s in e.strides]
            add(*e.native, bases, offsets, e.shape, strides)
        for a, x in results:
            plan.add_result(a, self._spec(x))
        plan.finish(scratch, self.program.build)
        return plan

    def _offset(self, x: _Place) -> int:
        return _address(x.array) - _address(self.registers[x.register].memory) if x.array.size else 0

    def _spec(self, x: _Place) -> tuple:
        y = x.array
        return (x.register, self._offset(x), y.shape, y.strides, y.dtype, _is_whole(x, self.registers))


def _address(x: np.ndarray) -> int:
    return x.__array_interface__["data"][0]


def _within(x: np.ndarray, source: np.ndarray) -> bool:
    """Whether x is a view of the array `source`."""
    return x.size == 0 or source.size == 0 or np.may_share_memory(x, source)


def _is_whole(x: _Place, registers: Sequence[_Register]) -> bool:
    memory = registers[x.register].memory
    same = x.array.shape == memory.shape and x.array.dtype == memory.dtype and x.array.strides == memory.strides
    return same and (not memory.size or _address(x.array) == _address(memory))


def _native_loop(found: Any, dtypes: Sequence[np.dtype], outs: Sequence[np.dtype]) -> tuple | None:
    """What the native module knows a loop by, or None where there is none of exactly these dtypes."""
    if isinstance(found, np.ufunc):
        types = f"{''.join(d.char for d in dtypes)}->{''.join(d.char for d in outs)}"
        return (found, found.types.index(types)) if types in found.types else None
    types = str(outs[0].itemsize) if found in _BY_WIDTH else f"{dtypes[0].str[1:]}->{outs[0].str[1:]}"
    return (found, types) if pytree.implementation.has_inner_loop(found, types) else None


def _nest(native: tuple, places: Sequence[_Place], shape: tuple[int, ...]) -> _Loop:
    """A loop over a shape to which the operands are repeated; neighbouring dimensions are made one where strides allow."""
    strides = [np.broadcast_to(x.array, shape).strides for x in places]
    dims: list[tuple[int, tuple[int, ...]]] = []
    for d, n in enumerate(shape):
        mine = tuple(s[d] for s in strides)
        if n == 1:
            continue
        if dims and all(outer == inner * n for outer, inner in zip(dims[-1][1], mine)):
            dims[-1] = (dims[-1][0] * n, mine)
        else:
            dims.append((n, mine))
    if not dims:
        dims = [(1 if all(shape) else 0, tuple(x.array.dtype.itemsize for x in places))]
    return _Loop(
        native, list(places), tuple(n for n, _ in dims), [tuple(s[k] for _, s in dims) for k in range(len(places))]
    )


def write_plan(program: Program) -> Any:
    """A program as a plan of the native module.

    Raises:
      Unplannable: it has too many values.
    """
    return _Writer(program).write()
