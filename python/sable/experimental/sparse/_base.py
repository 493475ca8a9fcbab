"""What sparse arrays of all formats share."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.array import AnyArray, Value
from sable.core.bind import constant
from sable.core.concretization import concretization_error
from sable.core.dtypes import canonicalize_dtype
from sable.core.trace import Tracer
from sable.core.values import as_value
from sable.tree_util import register_pytree_node


class SparseEfficiencyError(ValueError):
    """A layout was asked for that stores much more than it needs.

    Example:
      >>> import sable.numpy as jnp
      >>> from sable.experimental import sparse
      >>> matrix = sparse.BCOO.fromdense(jnp.eye(3))
      >>> try:
      ...     matrix.update_layout(n_batch=1)
      ... except sparse.SparseEfficiencyError as error:
      ...     print(str(error).split("in")[0])
      matrix of shape (3, 3): n_batch = 1
    """


class SparseEfficiencyWarning(UserWarning):
    """A layout stores much more than it needs.

    Example:
      >>> issubclass(SparseEfficiencyWarning, UserWarning)
      True
    """


class CuSparseEfficiencyWarning(SparseEfficiencyWarning):
    """There for programs that filter it: nothing here calls cuSPARSE, so it is never given.

    Example:
      >>> issubclass(CuSparseEfficiencyWarning, SparseEfficiencyWarning)
      True
    """


class JAXSparse(abc.ABC):
    """A sparse array: a pytree of the arrays that it is stored in.

    Subclasses are `BCOO`, `BCSR`, `COO`, `CSR` and `CSC`.

    Args:
      args: the arrays.
      shape: of the array that they stand for.

    Example:
      >>> import sable.numpy as jnp
      >>> from sable.experimental import sparse
      >>> isinstance(sparse.BCOO.fromdense(jnp.eye(3)), sparse.JAXSparse)
      True
    """

    data: Any
    shape: tuple[int, ...]
    __hash__ = None  # type: ignore[assignment]
    #: NumPy leaves operators between its arrays and sparse ones to these.
    __array_ufunc__ = None

    def __init__(self, args: tuple[AnyArray, ...], *, shape: Sequence[int]):
        self.shape = tuple(int(n) for n in shape)

    @property
    def nse(self) -> int:
        """The number of stored elements."""
        return self.data.shape[-1]

    @property
    def dtype(self) -> np.dtype:
        """The elements' dtype."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements, zeros among them."""
        return math.prod(self.shape)

    @property
    def T(self) -> Any:
        """The transposed array."""
        return self.transpose()

    @abc.abstractmethod
    def todense(self) -> Value:
        """The array with its zeros."""

    @abc.abstractmethod
    def tree_flatten(self) -> tuple[tuple, dict[str, Any]]:
        """The arrays it is stored in, and all else that says what it is."""

    @classmethod
    def tree_unflatten(cls, aux_data: dict[str, Any], children: Sequence[Any]) -> Any:
        """A sparse array of what `tree_flatten` gives; nothing is checked, since leaves may be anything."""
        made = object.__new__(cls)
        for name, leaf in zip(cls._ARRAYS, children):
            setattr(made, name, leaf)
        for name, value in aux_data.items():
            setattr(made, name, value)
        return made

    #: The attributes that hold the arrays, in the order of `tree_flatten`.
    _ARRAYS: tuple[str, ...] = ()

    @property
    def _stored(self) -> tuple:
        return tuple(getattr(self, name) for name in self._ARRAYS)

    def block_until_ready(self) -> Any:
        """Wait until what it is stored in is computed; returns the sparse array."""
        for x in self._stored:
            x.block_until_ready()
        return self

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a sparse array of shape ()")
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(len(self))

    def _says(self) -> str:
        """What follows the shape in `repr`."""
        return f"nse={self.nse}"

    def __repr__(self) -> str:
        name = type(self).__name__
        try:
            shown = f"{name}({np.dtype(self.dtype).name}{list(self.shape)}, {self._says()})"
        except Exception:  # leaves of a pytree may be anything
            return f"{name}(<invalid>)"
        return f"{type(self.data).__name__}[{shown}]" if isinstance(self.data, Tracer) else shown


def _refuse(name: str) -> Callable:
    def method(self: JAXSparse, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}.{name}")

    method.__name__ = name
    return method


#: Operators that formats may have: those that a format lacks say so.
for _name in (
    "__add__", "__getitem__", "__matmul__", "__mul__", "__neg__", "__pos__", "__radd__", "__rmatmul__", "__rmul__",
    "__rsub__", "__sub__", "sum", "transpose",
):  # fmt: skip
    setattr(JAXSparse, _name, _refuse(_name))


def as_stored(args: Sequence[Any]) -> list[Value]:
    """What a sparse array is to be stored in, as arrays: lists of numbers too."""
    return [constant(as_numpy(x)) if isinstance(x, (list, tuple)) else as_value(x) for x in args]


def as_numpy(x: Any) -> np.ndarray:
    """Nested lists of numbers, in a dtype that arrays can have."""
    found = np.asarray(x)
    return found.astype(canonicalize_dtype(found.dtype), copy=False)


def known_size(count: Any, what: str) -> int:
    """A number of elements that a shape is made of.

    Raises:
      ConcretizationTypeError: it is not known while tracing.
    """
    if isinstance(count, Tracer):
        count = count._concrete(lambda t: concretization_error(t, what))
    return int(count)


def register_sparse(cls: type[JAXSparse]) -> None:
    """Make a class of sparse arrays pytrees."""

    def flatten(x: JAXSparse) -> tuple[tuple, tuple]:
        children, aux = x.tree_flatten()
        return children, tuple(aux.items())

    register_pytree_node(cls, flatten, lambda aux, children: cls.tree_unflatten(dict(aux), children))


def seen_shape(shape: tuple[int, ...], data: Any, indices: Any, n_batch: int, n_sparse: int) -> tuple[int, ...]:
    """The shape of an array in batches, as its stored arrays are now.

    `vmap` and `scan` take batch axes from the stored arrays, and give new ones to them; the shape, which is no array, stays.

    Args:
      shape: as it was when the array was made.
      data, indices: what is stored.
      n_batch, n_sparse: how many dimensions are batch and sparse ones.
    """
    ndim = n_sparse + data.ndim - 1
    if ndim == len(shape):
        return shape
    batch = np.broadcast_shapes(data.shape[:n_batch], indices.shape[:n_batch])
    return (*batch, *shape[len(shape) - (ndim - n_batch) :])


def known_shape(x: Any) -> tuple[int, ...]:
    """The shape of an array in batches, whose leaves may be anything."""
    return x.shape if all(hasattr(leaf, "ndim") for leaf in x._stored) else x._shape
