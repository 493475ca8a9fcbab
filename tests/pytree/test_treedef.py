"""Tree definitions: comparison, parts, pickles, garbage collection, and errors of unflattening."""

import collections
import copy
import dataclasses
import gc
import pickle
import subprocess
import sys
import weakref
from types import SimpleNamespace
from typing import NamedTuple

import jax
import numpy as np
import pytest

import sable.tree_util


class Pair(NamedTuple):
    a: object
    b: object


class Box:
    def __init__(self, content, data=None):
        self.content, self.data = content, data


@dataclasses.dataclass
class Layer:
    weight: object
    name: str = "dense"


@pytest.fixture
def boxes(core):
    """A registry that knows `Box` and `Layer`."""
    registry = core.PyTreeRegistry()
    registry.register_node(Box, lambda box: ((box.content,), box.data), lambda data, children: Box(*children, data))
    registry.register_dataclass_node(Layer, ["weight"], ["name"])
    return registry


DIFFERENT = [
    1,
    None,
    (),
    [],
    {},
    (1,),
    [1],
    (1, 1),
    {"a": 1},
    {"b": 1},
    Pair(1, 1),
    (1, (1, 1)),
    ((1, 1), 1),
    Box(1),
    Box(1, "data"),
    Box(1, ["unhashable"]),
    Layer(1),
    Layer(1, "other"),
]


def test_equality_and_hash(boxes):
    treedefs = list(map(boxes.structure, DIFFERENT))
    again = list(map(boxes.structure, DIFFERENT))
    for i, first in enumerate(treedefs):
        for k, second in enumerate(again):
            assert (first == second) is (i == k)
            assert (first != second) is (i != k)
            if i == k:
                assert hash(first) == hash(second)
    hashes = {hash(treedef) for treedef in treedefs}
    assert len(hashes) >= len(treedefs) - 1  # unhashable data is left out
    assert treedefs[0] != "x"
    assert treedefs[0].__eq__(3) is NotImplemented
    with pytest.raises(TypeError):
        sorted(treedefs)


def test_data_that_does_not_compare(boxes):
    first, second = (boxes.structure(Box(1, np.zeros(2))) for _ in range(2))
    assert first == first
    assert hash(first) == hash(second)
    with pytest.raises(ValueError, match="while checking equality of metadata fields of pytree") as error:
        first == second  # noqa: B015
    assert "ambiguous" in str(error.value.__cause__)


def test_errors_in_hash_pass_through(boxes):
    class Data:
        def __hash__(self):
            raise OverflowError("mine")

    with pytest.raises(OverflowError, match="mine"):
        hash(boxes.structure(Box(1, Data())))


def test_unflatten_counts_leaves(boxes):
    treedef = boxes.structure((1, [2]))
    with pytest.raises(ValueError, match="Too few leaves for PyTreeDef; expected 2, got 1"):
        treedef.unflatten([1])
    with pytest.raises(ValueError, match="Too many leaves for PyTreeDef; expected 2"):
        treedef.unflatten(range(3))
    with pytest.raises(TypeError):
        treedef.unflatten(5)
    assert treedef.unflatten(iter("ab")) == ("a", ["b"])
    assert treedef.unflatten({"x": 1, "y": 2}) == ("x", ["y"])


def test_errors_of_constructors_pass_through(boxes):
    class Refuses:
        pass

    boxes.register_node(Refuses, lambda tree: ((1, 2), None), lambda *_: 1 / 0)
    boxes.register_dataclass_node(int.__class__, ["x"], [])
    with pytest.raises(ZeroDivisionError):
        boxes.structure([Refuses()]).unflatten([1, 2])
    treedef = boxes.structure([Refuses()])
    assert treedef.flatten_up_to([Refuses()]) == [1, 2]


UP_TO_ERRORS = [
    ((1, 2), (1, 2, 3), "Tuple arity mismatch"),
    ((1, 2), [1, 2], "Expected tuple, got"),
    ((1, 2), 5, "Expected tuple, got 5"),
    ([1, 2], [1], "List arity mismatch"),
    ([1, 2], Pair(1, 2), "Expected list, got"),
    ((1, 2), Pair(1, 2), "Expected tuple, got"),
    ({"a": 1}, {"b": 1}, r"Dict key mismatch; expected keys: \['a'\]; present keys: \['b'\]"),
    ({"a": 1}, {"a": 1, "b": 2}, "Dict key mismatch"),
    ({"a": 1}, {"a": 1, 2: 2}, "Dict key mismatch"),
    ({"a": 1}, 3, "Expected dict, got 3"),
    ({"a": 1}, collections.defaultdict(int, a=1), "Expected dict, got defaultdict"),
    (None, 1, "Expected None, got 1"),
    (Pair(1, 2), (1, 2), r"Expected named tuple, got \(1, 2\)\."),
    (Pair(1, 2), 3, "Expected named tuple, got 3"),
    (Box(1), 3, "Custom node type mismatch"),
    (Box(1, "x"), Box(1, "y"), "Mismatch custom node data"),
    (Layer(1), 3, "Custom dataclass node type mismatch"),
    (Layer(1), Layer(1, "y"), "Mismatch custom dataclass node data"),
    (((1, 2), 3), ((1, 2, 3), 4), "Tuple arity mismatch"),
]


@pytest.mark.parametrize(("prefix", "tree", "message"), UP_TO_ERRORS, ids=lambda x: repr(x)[:20])
def test_flatten_up_to_errors(boxes, prefix, tree, message):
    treedef = boxes.structure(prefix)
    with pytest.raises(ValueError, match=message):
        treedef.flatten_up_to(tree)


def test_flatten_up_to(boxes):
    tree = {"a": (Box([1, 2]), None), "b": Pair(3, Layer((4, 5)))}
    prefix = boxes.structure({"a": (Box(0), None), "b": Pair(0, Layer(0))})
    assert prefix.flatten_up_to(tree) == [[1, 2], 3, (4, 5)]
    assert boxes.structure(0).flatten_up_to(tree) == [tree]
    arity = boxes.structure(Box(1))
    boxes.register_node(Pair, lambda pair: (tuple(pair), None), lambda *_: None)
    assert arity.flatten_up_to(Box(Pair(1, 2))) == [Pair(1, 2)]


def test_arity_of_a_custom_node_changes(core):
    registry = core.PyTreeRegistry()
    registry.register_node(Box, lambda box: (box.content, None), lambda data, children: Box(children))
    with pytest.raises(ValueError, match="Custom type arity mismatch: expected 2 children, got 3"):
        registry.structure(Box([1, 2])).flatten_up_to(Box([1, 2, 3]))


def test_compose_and_tuple(api):
    structure = api.tree_util.tree_structure
    outer, inner = structure([0, (0, None)]), structure({"a": 0})
    assert outer.compose(inner) == structure([{"a": 0}, ({"a": 0}, None)])
    assert outer.compose(inner).num_leaves == 2
    made = api.tree_util.treedef_tuple([outer, inner])
    assert made == structure(([0, (0, None)], {"a": 0}))
    assert api.tree_util.treedef_tuple([]) == structure(())
    assert api.tree_util.treedef_children(made) == [outer, inner]
    with pytest.raises(TypeError):
        api.tree_util.treedef_tuple([3])
    with pytest.raises(ValueError, match="different registries"):
        outer.compose(api.pytree.none_leaf_registry.structure(0))


@pytest.mark.parametrize("tree", DIFFERENT, ids=lambda x: repr(x)[:20])
def test_parts(core, boxes, tree):
    treedef = boxes.structure(tree)
    rebuilt = core.PyTreeDef.from_node_data_and_children(boxes, treedef.node_data(), treedef.children())
    assert rebuilt == treedef
    assert core.PyTreeDef.from_state(boxes, treedef.state()) == treedef
    leaves = list(range(treedef.num_leaves))
    assert boxes.flatten(rebuilt.unflatten(leaves)) == (leaves, treedef)


def test_node_data_matches_jax(api):
    for tree in (1, None, (1, 2), [1], {"b": 1, "a": 2}, collections.OrderedDict(b=1)):
        assert api.tree_util.tree_structure(tree).node_data() == jax.tree.structure(tree).node_data()


RUBBISH_STATES = [
    None,
    3,
    [],
    [1],
    [(0, 0, None)],
    [(9, 0, None, None)],
    [(-1, 0, None, None)],
    [("a", 0, None, None)],
    [(0, "a", None, None)],
    [(0, -1, None, None)],
    [(0, 2**70, None, None)],
    [(0, 1, None, None)],
    [(2, 1, None, None)],
    [(2, 2**40, None, None)],
    [(0, 0, None, None), (0, 0, None, None)],
    [(0, 0, None, None), (1, 1, None, None)],
    [(0, 0, None, None), (4, 1, None, None)],
    [(0, 0, None, None), (4, 1, (), None)],
    [(0, 0, None, None), (4, 1, ["a"], None)],
    [(5, 0, None, None)],
    [(5, 0, int, None)],
    [(6, 0, None, None)],
    [(6, 0, None, int)],
    [(6, 0, None, Layer)],
    [(6, 0, None, "x")],
    [(7, 0, (), Layer)],
    [(0, 0, None, None), (7, 1, (), Layer)],
    [(0, 0, None, None), (7, 1, None, Layer)],
    [(0, 0, None, None), (7, 1, (), Box)],
]


@pytest.mark.parametrize("state", RUBBISH_STATES, ids=repr)
def test_rubbish_states(core, boxes, state):
    with pytest.raises((ValueError, TypeError)):
        core.PyTreeDef.from_state(boxes, state)


def test_rubbish_node_data(core, boxes):
    make = core.PyTreeDef.from_node_data_and_children
    leaf = boxes.structure(0)
    for node_data in (3, (1,), ("tuple", None), (int, None), (dict, None), (dict, ["a", "b"])):
        with pytest.raises((ValueError, TypeError)):
            make(boxes, node_data, [leaf])
    with pytest.raises(ValueError):
        make(boxes, None, [leaf])
    with pytest.raises(TypeError):
        make(boxes, (tuple, None), [0])


def test_an_uninitialised_treedef_is_an_error(core):
    if core.__name__ != "sable._native":
        pytest.skip("pure Python has no such state")
    with pytest.raises(TypeError):
        core.PyTreeDef()
    empty = core.PyTreeDef.__new__(core.PyTreeDef)
    for use in (hash, repr, lambda treedef: core.treedef_tuple(core.PyTreeRegistry(), [treedef])):
        with pytest.raises(TypeError, match="made by flattening"):
            use(empty)
    assert empty != core.PyTreeRegistry().structure(0)


def test_copies():
    """Pickles find the implementation of the process; the other is tried in a process of its own below."""
    treedef = sable.tree_util.tree_structure((1, {"a": None, "b": Pair(2, [3])}))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(treedef, protocol)) == treedef
    assert copy.copy(treedef) == copy.deepcopy(treedef) == treedef


PICKLE_PROGRAM = """
import collections, pickle, sys
from sable import tree_util
from sable.pytree import registry as pytree
assert pytree.native is False
trees = [1, None, (1, [2]), {"b": 1, "a": (2, None)}, collections.OrderedDict(b=1)]
trees.append(tree_util.Partial(print, 1))
expected = list(map(tree_util.tree_structure, trees))
loaded = pickle.loads(sys.stdin.buffer.read())
assert loaded == expected, loaded
assert pickle.loads(pickle.dumps(tree_util.default_registry)) is tree_util.default_registry
sys.stdout.buffer.write(pickle.dumps(expected))
"""


def test_pickle_in_pure_python():
    """Each implementation reads what the other wrote."""
    from sable import tree_util
    from sable.pytree import registry as pytree

    trees = [1, None, (1, [2]), {"b": 1, "a": (2, None)}, collections.OrderedDict(b=1)]
    expected = list(map(tree_util.tree_structure, [*trees, tree_util.Partial(print, 1)]))
    result = subprocess.run(
        [sys.executable, "-c", PICKLE_PROGRAM],
        input=pickle.dumps(expected),
        capture_output=True,
        env={"SABLE_PURE_PYTHON": "1"},
    )
    assert result.returncode == 0, result.stderr.decode()
    assert pickle.loads(result.stdout) == expected
    registry = pytree.none_leaf_registry
    assert pickle.loads(pickle.dumps(registry)) is registry


def test_unnamed_registries_are_not_pickled(registry):
    with pytest.raises(TypeError, match="without a name"):
        pickle.dumps(registry)


def test_cycles_are_collected(core):
    class Data:
        pass

    def cycle():
        registry = core.PyTreeRegistry()
        data = Data()
        registry.register_node(Box, lambda box: ((), data), lambda _, children: registry.structure(Box(None)))
        data.treedef = registry.structure(Box(None))
        return weakref.ref(data)

    reference = cycle()
    gc.collect()
    assert reference() is None


def test_treedef_outlives_its_registry_name(core):
    def make():
        registry = core.PyTreeRegistry()
        registry.register_node(SimpleNamespace, lambda s: ((s.a,), None), lambda _, c: SimpleNamespace(a=c[0]))
        return registry.structure([SimpleNamespace(a=1)])

    treedef = make()
    gc.collect()
    assert treedef.unflatten([2]) == [SimpleNamespace(a=2)]
    assert treedef.children()[0].flatten_up_to(SimpleNamespace(a=[3])) == [[3]]
