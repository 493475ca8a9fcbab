"""The promotion lattice: which dtype two dtypes meet in.

Nodes are names: a dtype's own (`float32`) or, for the weak types that Python scalars have, `int*`, `float*`
and `complex*`. A dtype promotes along the edges; the result for a set of dtypes is their least upper bound.
The shape of the lattice (JAX's "Type Promotion Semantics"):

    bool -> int* -> every integer chain -> float* -> every float chain -> complex* -> complex64 -> complex128
"""

from __future__ import annotations

import functools

from sable._pages import WithPage, with_page

#: Weak node -> the Python type that it stands for.
WEAK_NODES = {"int*": int, "float*": float, "complex*": complex}

NARROW_INTEGERS = ("uint1", "uint2", "uint4", "int1", "int2", "int4")
FLOAT8 = (
    "float8_e3m4",
    "float8_e4m3",
    "float8_e8m0fnu",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
)
FLOAT6 = ("float6_e2m3fn", "float6_e3m2fn")
FLOAT4 = ("float4_e2m1fn",)
NARROW_FLOATS = FLOAT4 + FLOAT6 + FLOAT8

UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
SIGNED = ("int8", "int16", "int32", "int64")
FLOATS = ("bfloat16", "float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
STRONG_NODES = ("bool", *NARROW_INTEGERS, *UNSIGNED, *SIGNED, *NARROW_FLOATS, *FLOATS, *COMPLEX)

_STANDARD_EDGES: dict[str, tuple[str, ...]] = {
    "bool": ("int*",),
    "int*": ("uint8", "int8", *NARROW_INTEGERS),
    "uint8": ("uint16", "int16"),
    "uint16": ("uint32", "int32"),
    "uint32": ("uint64", "int64"),
    "uint64": ("float*",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float*",),
    "float*": ("bfloat16", "float16", *NARROW_FLOATS, "complex*"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex*": ("complex64",),
    "complex64": ("complex128",),
}
_STRICT_EDGES: dict[str, tuple[str, ...]] = {
    "int*": ("float*", *NARROW_INTEGERS, *UNSIGNED, *SIGNED),
    "float*": ("complex*", *NARROW_FLOATS, *FLOATS),
    "complex*": COMPLEX,
}


@with_page
class TypePromotionError(WithPage, ValueError):
    """Operands whose dtypes have no common dtype to which they promote by themselves.

    There is none for two narrow floating-point dtypes, such as float8_e4m3fn and float8_e5m2, and under
    `numpy_dtype_promotion("strict")` for any two that differ.

    A program that raises it:

        import sable as jax
        import sable.numpy as jnp

        with jax.numpy_dtype_promotion("strict"):
            jnp.float32(1) + jnp.int32(1)

    The program mended:

        import sable as jax
        import sable.numpy as jnp

        with jax.numpy_dtype_promotion("strict"):
            jnp.float32(1) + jnp.int32(1).astype(jnp.float32)
    """

    __module__ = "sable.dtypes"


@functools.cache
def upper_bounds(strict: bool, x64: bool) -> dict[str, frozenset[str]]:
    """Each node with all nodes that it promotes to, itself included."""
    edges = dict(_STRICT_EDGES if strict else _STANDARD_EDGES)
    if not strict and not x64:
        # uint32 with a signed integer is the one place where 32-bit operands would meet in a 64-bit dtype.
        edges["uint32"] = ("uint64", "int32")
    bounds: dict[str, frozenset[str]] = {}

    def visit(node: str) -> frozenset[str]:
        if node not in bounds:
            bounds[node] = frozenset({node}).union(*(visit(above) for above in edges.get(node, ())))
        return bounds[node]

    for node in (*STRONG_NODES, *WEAK_NODES):
        visit(node)
    return bounds


@functools.lru_cache(4096)
def least_upper_bound(nodes: tuple[str, ...], strict: bool, x64: bool) -> str:
    """The lowest node that all `nodes` promote to.

    Raises:
      TypePromotionError: there is none.
    """
    bounds = upper_bounds(strict, x64)
    common = frozenset.intersection(*(bounds[node] for node in nodes))
    for node in common:
        if common <= bounds[node]:  # true of one node at most: the lattice has no cycles
            return node
    raise TypePromotionError(_no_path(nodes, strict))


def _no_path(nodes: tuple[str, ...], strict: bool) -> str:
    """The message for dtypes that do not meet."""
    shown = tuple(str(WEAK_NODES.get(node, node)) for node in dict.fromkeys(nodes))
    start = f"Input dtypes {shown} have no available implicit dtype promotion path"
    if strict:
        return (
            f"{start} when jax_numpy_dtype_promotion=strict. Cast the operands to one dtype, x.astype(...), "
            "or set jax_numpy_dtype_promotion=standard."
        )
    for family, kind, goal in (
        (FLOAT8, "8-bit floats", "float32"),
        (FLOAT6, "6-bit floats", "float32"),
        (FLOAT4, "4-bit floats", "float32"),
        (NARROW_INTEGERS, "1-bit, 2-bit and 4-bit integers", "int32"),
    ):
        if any(node in family for node in nodes):
            return f"{start}: {kind} are never promoted implicitly. Cast them, for example x.astype('{goal}')."
    return f"{start}. Cast the operands to the dtype that the result shall have, x.astype(...)."
