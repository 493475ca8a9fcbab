"""The one module that imports the MLIR bindings (those inside iree-base-compiler), and the context that everything uses."""

from __future__ import annotations

from iree.compiler import ir, passmanager
from iree.compiler.dialects._ods_common import _cext
from iree.compiler.ir import _globals

from .aval import DTYPES, ELEMENT_TYPES, Aval, aval

__all__ = [
    "CONTEXT",
    "UNKNOWN",
    "Operation",
    "aval_of_type",
    "ir",
    "mlir_type",
    "passmanager",
    "register_dialect",
    "register_operation",
]

# Operations of a dialect without a Python module cost 15 us each to look at, since the bindings retry the import
# every time: `sable.dialects.<name>` supplies the modules.
_globals.append_dialect_search_prefix("sable.dialects")

register_dialect = _cext.register_dialect
register_operation = _cext.register_operation
Operation = ir.Operation

#: The one context of the process, for all its threads: the bindings hold the GIL in every call, passes included, so that
#: one at a time is inside. MLIR's own threads are off: in a forked child they would be waited for in vain. Whoever makes
#: types and attributes without naming it enters it: `with CONTEXT`.
CONTEXT = ir.Context()
CONTEXT.enable_multithreading(False)
CONTEXT.allow_unregistered_dialects = True
CONTEXT.load_all_available_dialects()

with CONTEXT:
    UNKNOWN = ir.Location.unknown()
    _ELEMENTS = {dtype: ir.Type.parse(text) for dtype, text in ELEMENT_TYPES.items()}

#: The avals of types that were met. Emptied when full: programs with ever new shapes.
_AVALS: dict[ir.Type, Aval] = {}
_AVALS_SIZE = 1024


def element_type(dtype) -> ir.Type:
    """The MLIR element type of a NumPy dtype."""
    return _ELEMENTS[dtype]


def mlir_type(a: Aval) -> ir.Type:
    """`tensor<2x3xf32>` of an aval; made once for each aval."""
    if a.mlir is None:
        a.mlir = ir.RankedTensorType.get(a.shape, _ELEMENTS[a.dtype], loc=UNKNOWN)
        if len(_AVALS) >= _AVALS_SIZE:
            _AVALS.clear()
        _AVALS.setdefault(a.mlir, aval(a.shape, a.dtype))
    return a.mlir


def aval_of_type(type: ir.Type) -> Aval:
    """The strong aval of a tensor type.

    Raises:
      TypeError: for types that no array has (dynamic dimensions, other element types, not a tensor).
    """
    found = _AVALS.get(type)
    if found is not None:
        return found
    if not isinstance(type, ir.RankedTensorType):
        raise TypeError(f"expected a ranked tensor type, got {type}")
    if not type.has_static_shape:
        raise TypeError(f"expected a static shape, got {type}")
    dtype = DTYPES.get(str(type.element_type))
    if dtype is None:
        raise TypeError(f"element type {type.element_type} is not supported")
    found = aval(tuple(type.shape), dtype)
    mlir_type(found)
    return _AVALS.setdefault(type, found)
