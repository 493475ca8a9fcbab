"""What a compiled function takes and returns, read from the declaration that IREE keeps in the module."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from sable.ir.aval import DTYPES, NARROW_TYPES
from sable.runtime.errors import ExecutionError

#: Reflection attribute of an exported function: its declaration as text.
DECLARATION = "iree.abi.declaration"


@dataclass(frozen=True)
class TensorType:
    """The type of an argument or result: `shape` has None where a dimension is dynamic."""

    shape: tuple[int | None, ...]
    dtype: np.dtype

    def short(self) -> str:
        """`float32[2,?]`."""
        return f"{self.dtype.name}[{','.join('?' if n is None else str(n) for n in self.shape)}]"

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Whether a shape fits."""
        return len(shape) == len(self.shape) and all(n is None or n == m for n, m in zip(self.shape, shape))


@dataclass(frozen=True)
class Signature:
    """The arguments and results of a compiled function."""

    arguments: tuple[TensorType, ...]
    results: tuple[TensorType, ...]


_TENSOR = r"tensor<(?:complex<\w+>|[^<>])*>"
# `%input0: tensor<5xi32> {iree.abi.encoding = tensor<5xui32>}`: the encoding is the type before IREE took the
# sign off.
_VALUE = re.compile(rf"%\w+: ({_TENSOR})(?: \{{iree\.abi\.encoding = ({_TENSOR})\}})?")


def parse_declaration(declaration: str) -> Signature:
    """Reads a declaration such as `sync func @f(%input0: tensor<2x?xf32>) -> (%output0: tensor<i1>)`.

    Raises:
      ExecutionError: it names something else than tensors of dtypes that Sable computes with.
    """
    head, arrow, tail = declaration.partition(" -> ")
    arguments = _values(head[head.index("(") + 1 :], declaration)
    return Signature(arguments, _values(tail, declaration) if arrow else ())


def _values(text: str, declaration: str) -> tuple[TensorType, ...]:
    found = tuple(_parse_tensor(encoding or plain, declaration) for plain, encoding in _VALUE.findall(text))
    if len(found) != text.count("%"):
        raise ExecutionError(f"cannot call a function with other values than tensors from NumPy: {declaration}")
    return found


def _parse_tensor(text: str, declaration: str) -> TensorType:
    *dimensions, element = re.split(r"(?<=[\d?])x", text[len("tensor<") : -1])
    dtype = DTYPES.get(element)
    if dtype is None or dtype in NARROW_TYPES:
        raise ExecutionError(f"cannot call a function with elements of type {element} from NumPy: {declaration}")
    return TensorType(tuple(None if n == "?" else int(n) for n in dimensions), dtype)
