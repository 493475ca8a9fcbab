"""Traits by the names of operations."""

from __future__ import annotations

from collections import defaultdict

from sable.ir.op import OPS, Traits
from sable.passes.module_traits import WITHOUT_ROW, traits_of


def test_rows_of_one_operation_agree() -> None:
    found = defaultdict(set)
    for op in OPS.values():
        found[op.mlir_name].add(op.traits)
    assert [name for name, traits in found.items() if len(traits) > 1] == []


def test_the_list_is_of_what_has_no_row() -> None:
    rows = {op.mlir_name for op in OPS.values()} - {"func.call"}
    assert sorted(rows & set(WITHOUT_ROW)) == []


def test_one_table_of_costs() -> None:
    assert traits_of("stablehlo.power").cost == 20
    assert traits_of("stablehlo.exponential").cost == 10
    assert traits_of("stablehlo.reshape").cost == 0
    assert traits_of("stablehlo.scatter").in_place
    assert traits_of("tensor.empty") == Traits()
