"""Mutable references: objects that hold a value, which functions read and write as if they were no functions.

No op knows of them. A trace keeps a journal: the present values of the references that its function has touched and that
were there before it. When it ends, what a staged trace read first is an argument more of its function, a capture
that is the reference itself, and what was written are results more, which the caller writes back (`Traced.settled`),
into the journal of the next trace where there is one. So to derivatives, batches and programs all functions are pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sable.errors import UnexpectedTracerError
from sable.ir.aval import Aval

from .array import Value
from .state import STATE
from .trace import Trace, Tracer, check_live
from .values import as_value, is_array_like, retype


@dataclass(frozen=True)
class AbstractRef:
    """The type of a reference: that of its value.

    Example:
      >>> jax.typeof(jax.new_ref(jnp.zeros(3)))
      Ref{float32[3]}
    """

    inner_aval: Aval

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the value."""
        return self.inner_aval.shape

    @property
    def dtype(self) -> Any:
        """Of the value."""
        return self.inner_aval.dtype

    @property
    def ndim(self) -> int:
        """Of the value."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Of the value."""
        return self.inner_aval.size

    def short(self) -> str:
        """As messages show it."""
        return repr(self)

    def __repr__(self) -> str:
        return f"Ref{{{self.inner_aval.short()}}}"


class Ref:
    """A mutable array, made by `jax.new_ref`: `ref[index]` reads, `ref[index] = value` and `ref[index] += value` write.

    It may be made, read and written outside of and inside of `jit`, of bodies of loops and branches, and of functions
    that are differentiated or batched, and be an argument of these; what it holds is an array, which no write changes.

    Args:
      value: what it holds at first.
      owner: the trace that it is made in; None outside of all.

    Example:
      >>> ref = jax.new_ref(jnp.zeros(3))
      >>> @jax.jit
      ... def count(i):
      ...     ref[i] += 1.0
      >>> count(0); count(2); count(2)
      >>> ref
      Ref([1., 0., 2.], dtype=float32)
    """

    __slots__ = ("__weakref__", "_owner", "_value", "inner")

    def __init__(self, value: Value, owner: Trace | None):
        self.inner = value.aval
        self._value, self._owner = value, owner

    @property
    def aval(self) -> AbstractRef:
        """The type."""
        return AbstractRef(self.inner)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the value."""
        return self.inner.shape

    @property
    def dtype(self) -> Any:
        """Of the value."""
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        """Of the value."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Of the value."""
        return self.inner.size

    @property
    def local(self) -> bool:
        """Whether a trace owns it, which its function does not outlive."""
        return self._owner is not None

    def read(self) -> Value:
        """The present value."""
        return self._read(STATE.scope)

    def _read(self, scope: Trace | None) -> Value:
        if scope is self._owner:
            return self._value
        if scope is None:
            raise self._escaped()
        entry = scope.journal.get(self)
        if entry is not None:
            return entry
        if not scope.staged:
            return self._read(scope.parent)
        self._check_owned(scope)
        entry = Tracer(self.inner, scope.function.add_argument(self.inner), scope)
        scope.captures.append(self)
        scope.journal[self] = entry
        return entry

    def write(self, value: Value) -> None:
        """Set the whole value, which has its shape and dtype."""
        value, scope = retype(value, self.inner.weak_type), STATE.scope
        if scope is self._owner:
            self._value = value
            return
        self._read(scope)
        assert scope is not None
        scope.journal[self] = value
        scope.written[self] = None

    def _check_owned(self, scope: Trace) -> None:
        outer: Trace | None = scope
        while outer is not self._owner:
            if outer is None:
                raise self._escaped()
            outer = outer.parent

    def _escaped(self) -> UnexpectedTracerError:
        assert self._owner is not None
        return UnexpectedTracerError(
            "Encountered an unexpected tracer. A function transformed by Sable had a side effect: a mutable array reference of "
            f"type {self.aval} escaped the scope of the transformation.\nThe function being traced when it was made was "
            f"{self._owner.name} traced for {self._owner.kind}.\nReturn its value, `ref[...]`, from the function."
        )

    def __repr__(self) -> str:
        value = self.read()
        if isinstance(value, Tracer) and value.known_array() is None:
            return repr(self.aval)
        return "Ref" + repr(value).removeprefix("Array")

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __getitem__(self, index: Any) -> Value:
        value = self.read()
        if index is Ellipsis:
            return value
        _check_inside(self.shape, index)
        return value[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.swap(index, value)

    def swap(self, index: Any, value: Any, what: str = "swap") -> Value:
        """Write `value` at `index`; returns what was there."""
        before, new = self[index], _new_value(value, what)
        self._check_fits(before, new, what)
        self.write(new if index is Ellipsis else self.read().at[index].set(new))
        return before

    def addupdate(self, value: Any, index: Any = ...) -> None:
        """Add `value` at `index`.

        Example:
          >>> ref = jax.new_ref(jnp.zeros(3))
          >>> ref.addupdate(jnp.ones(2), slice(1, 3)); ref
          Ref([0., 1., 1.], dtype=float32)
        """
        new = _new_value(value, "addupdate")
        self._check_fits(self[index], new, "addupdate")
        self.write(self.read().at[index].add(new))

    def _check_fits(self, place: Value, new: Value, what: str) -> None:
        if new.aval.shape != place.aval.shape:
            raise ValueError(
                f"Invalid shape for `{what}`. Ref shape: {self.shape}. Expected shape: {place.aval.shape}. "
                f"Value shape: {new.aval.shape}. Nothing is broadcast."
            )
        if new.aval.dtype != self.inner.dtype:
            raise ValueError(
                f"Invalid dtype for `{what}`. Ref dtype: {self.inner.dtype.name}. Value dtype: {new.aval.dtype.name}."
            )


def _new_value(value: Any, what: str) -> Value:
    if isinstance(value, Ref):
        raise ValueError(f"Cannot store a Ref into another by `{what}`: store what it holds, `ref[...]`")
    found = as_value(value)
    if type(found) is Tracer:
        check_live(found)
    return found


def _check_inside(shape: tuple[int, ...], index: Any) -> None:
    for dim, p in zip(shape, index if isinstance(index, tuple) else (index,)):
        if type(p) is not int and not isinstance(p, slice):
            return  # dimensions are no longer counted from the front
        if type(p) is int and not -dim <= p < dim:
            raise ValueError(f"Out of bound indexer: idx={p}, dim={dim}.")


def new_ref(init_val: Any, *, memory_space: Any = None, kind: str | None = None) -> Ref:
    """A mutable array that holds a value.

    Args:
      init_val: an array or a number, which says shape and dtype for good.
      memory_space, kind: without effect.

    Raises:
      TypeError: it is no array.

    Example:
      >>> ref = jax.new_ref(jnp.arange(3))
      >>> ref[1] = 7
      >>> ref[...]
      Array([0, 7, 2], dtype=int32)
      >>> def f(x):
      ...     ref = jax.new_ref(0.0)
      ...     ref[...] = jnp.sin(x)
      ...     return ref[...]
      >>> jax.grad(f)(1.0)
      Array(0.5403023, dtype=float32, weak_type=True)
    """
    if isinstance(init_val, Ref) or not is_array_like(init_val):
        raise TypeError(
            "Error interpreting argument to new_ref as a JAX value. The problematic value is of type "
            f"{type(init_val)} and was passed to new_ref at position 0."
        )
    return Ref(as_value(init_val), STATE.scope)


def present(captures: Sequence[Any]) -> list[Value]:
    """Captures, where references stand for what they hold now."""
    return [x.read() if type(x) is Ref else x for x in captures]


def argument_ref(tracer: Tracer, kind: AbstractRef) -> Ref:
    """The reference that a function gets for an argument of this type."""
    ref = Ref(tracer, tracer.owner)
    ref.inner = kind.inner_aval
    return ref


def check_distinct(leaves: Sequence[Any], captures: Sequence[Any], name: str, kind: str) -> None:
    """Each reference that a function gets is another.

    Raises:
      ValueError: one is an argument twice, or an argument that the function closes over.
    """
    given = [x for x in leaves if type(x) is Ref]
    if len(set(given)) < len(given):
        raise ValueError(
            "only one reference to a mutable array may be passed as an argument to a function, but when tracing "
            f"{name} for {kind} a mutable array reference was passed several times, at positions "
            f"{[i for i, x in enumerate(leaves) if leaves.count(x) > 1 and type(x) is Ref]} of the arguments' leaves"
        )
    for x in given:
        if any(x is c for c in captures):
            raise ValueError(
                f"when tracing {name} for {kind}, a mutable array reference of type {x.aval} was both closed over and "
                "passed as an argument"
            )


__all__ = ["AbstractRef", "Ref", "argument_ref", "check_distinct", "new_ref", "present"]
