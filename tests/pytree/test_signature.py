"""Call signatures: from leaves to abstract values."""

import gc
import sys

import pytest


class Array:
    __slots__ = ("aval", "other")

    def __init__(self, aval):
        self.aval = aval


class Derived(Array):
    __slots__ = ()


class WithProperty:
    @property
    def aval(self):
        return "computed"


class OnInstances:
    def __init__(self):
        self.aval = "from the dict"


def test_signature(core):
    unknown = []

    def fallback(leaf):
        unknown.append(leaf)
        return f"unknown {leaf}"

    leaves = [Array("f32[2]"), 1, 2.5, True, "x", Array(None)]
    avals = core.signature(leaves, Array, {int: "i32", float: "f32", bool: "i1"}, fallback)
    assert avals == ("f32[2]", "i32", "f32", "i1", "unknown x", None)
    assert unknown == ["x"]
    assert core.signature([], Array, {}, None) == ()


def test_types_are_matched_exactly(core):
    derived = Derived("f32")
    assert core.signature([derived, True], Array, {int: "i32"}, lambda leaf: leaf) == (derived, True)
    assert core.signature([derived], Derived, {}, None) == ("f32",)


def test_avals_that_are_no_slot(core):
    assert core.signature([WithProperty()], WithProperty, {}, None) == ("computed",)
    assert core.signature([OnInstances()], OnInstances, {}, None) == ("from the dict",)


def test_a_borrowed_slot_is_not_trusted(core):
    class Thief:
        aval = Array.__dict__["aval"]

    with pytest.raises(TypeError, match="descriptor 'aval'"):
        core.signature([Thief()], Thief, {}, None)


def test_errors(core):
    with pytest.raises(AttributeError, match="aval"):
        core.signature([Array.__new__(Array)], Array, {}, None)
    with pytest.raises(AttributeError, match="aval"):
        core.signature([1], int, {}, None)
    with pytest.raises(TypeError, match="not callable"):
        core.signature([object()], Array, {}, None)
    with pytest.raises(ZeroDivisionError):
        core.signature([object()], Array, {}, lambda leaf: 1 / 0)
    for wrong in [((1,), Array, {}), ([1], 3, {}), ([1], Array, [])]:
        with pytest.raises(TypeError):
            core.signature(*wrong, repr)


def test_a_fallback_that_changes_the_list(core):
    leaves = [object(), 1, 2]

    def fallback(leaf):
        leaves.clear()
        return "gone"

    assert core.signature(leaves, Array, {int: "i32"}, fallback) == ("gone",)


def test_references(core):
    aval, leaf = object(), Array(None)
    leaf.aval = aval
    table = {int: aval}
    gc.collect()
    before = sys.getrefcount(aval)
    for _ in range(100):
        core.signature([leaf, 1, "x"], Array, table, lambda leaf: aval)
        with pytest.raises(ZeroDivisionError):
            core.signature([leaf, 1, "x"], Array, table, lambda leaf: 1 / 0)
    gc.collect()
    assert sys.getrefcount(aval) == before
