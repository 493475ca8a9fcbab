"""Flattening: what is a node, in which order leaves come, and what user code may do wrong on the way."""

import collections
import dataclasses
import gc
import threading
from typing import NamedTuple

import jax
import pytest


class Point(NamedTuple):
    x: object
    y: object


class Tagged(tuple):
    """A subclass of tuple without fields: a leaf."""

    __slots__ = ()


TREES = [
    1,
    None,
    (),
    [],
    {},
    (1,),
    [1],
    (1, [2, None], {"b": 3, "a": ()}),
    {"w": {"b": 1, "a": 2}, "": 3, "ä": 4},
    {3: "c", 1: "a", 2.5: "b"},
    {(1, 2): 0, (1, 1): 1},
    {str(i): i for i in range(40)},
    Point(1, Point(2, [3])),
    collections.OrderedDict(b=1, a=(2, 3)),
    collections.defaultdict(list, b=1, a=(2, 3)),
    Tagged((1, 2)),
    [Point(None, 0), {"k": Tagged()}],
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_matches_jax(api, tree):
    expected, expected_treedef = jax.tree_util.tree_flatten(tree)
    leaves, treedef = api.tree_util.tree_flatten(tree)
    assert leaves == expected
    assert repr(treedef) == repr(expected_treedef)
    assert treedef.num_leaves == expected_treedef.num_leaves
    assert treedef.num_nodes == expected_treedef.num_nodes
    assert treedef.node_data() == expected_treedef.node_data()
    assert list(map(repr, treedef.children())) == list(map(repr, expected_treedef.children()))
    assert treedef.unflatten(leaves) == tree
    assert type(treedef.unflatten(leaves)) is type(tree)
    assert api.tree_util.tree_leaves(tree) == leaves
    assert api.tree_util.tree_structure(tree) == treedef


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_paths_match_jax(api, tree):
    expected, expected_treedef = jax.tree_util.tree_flatten_with_path(tree)
    pairs, treedef = api.tree_util.tree_flatten_with_path(tree)
    assert repr(pairs) == repr(expected)
    assert repr(treedef) == repr(expected_treedef)
    assert treedef == api.tree_util.tree_structure(tree)


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_one_level_matches_jax(api, tree):
    if not jax.tree_util.is_tree_node(type(tree)):
        for function in (api.tree_util.flatten_one_level, api.tree_util.flatten_one_level_with_keys):
            with pytest.raises(ValueError, match="can't tree-flatten type"):
                function(tree)
        return
    children, data = api.tree_util.flatten_one_level(tree)
    expected_children, expected_data = jax.tree_util.flatten_one_level(tree)
    assert list(children) == list(expected_children)
    assert data == expected_data
    pairs, data = api.tree_util.flatten_one_level_with_keys(tree)
    expected_pairs, expected_data = jax.tree_util.flatten_one_level_with_keys(tree)
    assert data == expected_data
    if isinstance(tree, Point):  # JAX 0.10.2 names the first field twice
        expected_pairs = zip([jax.tree_util.GetAttrKey("x"), jax.tree_util.GetAttrKey("y")], tree)
    assert repr(list(pairs)) == repr(list(expected_pairs))


def test_is_leaf(api):
    seen = []

    def is_leaf(subtree):
        seen.append(subtree)
        return isinstance(subtree, tuple) or None

    leaves, treedef = api.tree_util.tree_flatten([1, (2, 3), None], is_leaf)
    assert leaves == [1, (2, 3)]
    assert repr(treedef) == "PyTreeDef([*, *, None])"
    assert seen == [[1, (2, 3), None], 1, (2, 3), None]
    assert api.tree_util.tree_leaves([None, 1], is_leaf=lambda x: x is None) == [None, 1]


def test_is_leaf_with_path(api):
    pairs = api.tree_util.tree_leaves_with_path(
        {"a": [1, 2], "b": [3]},
        is_leaf=lambda path, _: api.tree_util.keystr(path) == "['a']",
        is_leaf_takes_path=True,
    )
    assert [leaf for _, leaf in pairs] == [[1, 2], 3]


def test_is_leaf_errors(api):
    flatten = api.tree_util.tree_flatten
    with pytest.raises(ValueError, match="non-boolean value 'yes'"):
        flatten([1], is_leaf=lambda x: "yes")
    with pytest.raises(TypeError, match="is_leaf must be a function"):
        flatten([1], is_leaf=3)
    with pytest.raises(ZeroDivisionError):
        flatten([1], is_leaf=lambda x: 1 / 0)


@pytest.mark.parametrize("keys", [(1, "a"), (None, 1), (1j, 2j)])
def test_unsortable_keys(api, keys):
    with pytest.raises(ValueError, match=r"Comparator raised exception.*not supported") as info:
        api.tree_util.tree_flatten([dict.fromkeys(keys, 0)])
    assert isinstance(info.value.__cause__, TypeError)
    with pytest.raises(ValueError, match="Comparator raised exception"):
        api.tree_util.tree_flatten(collections.defaultdict(int, dict.fromkeys(keys, 0)))


def test_comparison_of_keys_is_interrupted(registry):
    class Key:
        def __lt__(self, other):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        registry.flatten({Key(): 1, Key(): 2})


class Rubbish:
    """Its flatten function returns what the test puts here."""

    result: object = None
    keyed: object = None


@pytest.mark.parametrize("result", [1, None, (1,), (1, 2), ((1,), 2, 3), [(1,), 2], "ab"])
def test_flatten_function_returns_rubbish(registry, result):
    registry.register_node(Rubbish, lambda tree: result, lambda data, children: None)
    with pytest.raises(ValueError, match=r"should return a \(children, aux_data\) tuple") as info:
        registry.flatten([Rubbish()])
    assert "Rubbish" in str(info.value)
    with pytest.raises(ValueError, match=r"should return a \(children, aux_data\) tuple"):
        registry.flatten_one_level(Rubbish())


@pytest.mark.parametrize("pairs", [(1,), ((1, 2, 3),), ([1, 2],), (("k",),)])
def test_flatten_with_keys_returns_rubbish(registry, pairs):
    registry.register_node(Rubbish, lambda t: ((), None), lambda *_: None, lambda t: (pairs, None))
    with pytest.raises(ValueError, match=r"\(key, child\)"):
        registry.flatten_with_path(Rubbish())
    with pytest.raises(ValueError, match=r"\(key, child\)"):
        registry.flatten_one_level_with_keys(Rubbish())


def test_errors_of_flatten_functions_pass_through(registry):
    def children():
        yield 1
        raise TypeError("mine")

    registry.register_node(Rubbish, lambda t: (children(), None), lambda *_: None)
    with pytest.raises(TypeError, match="mine"):
        registry.flatten(Rubbish())
    with pytest.raises(TypeError, match="mine"):
        registry.structure(0).unflatten(children())


def test_children_may_be_an_iterator(registry):
    registry.register_node(Rubbish, lambda t: (iter([1, [2]]), "d"), lambda data, children: children)
    leaves, treedef = registry.flatten(Rubbish())
    assert leaves == [1, 2]
    assert treedef.unflatten([3, 4]) == (3, [4])


def test_self_reference(api):
    own_list: list = []
    own_list.append(own_list)
    own_dict: dict = {}
    own_dict["a"] = (own_dict,)
    for tree in (own_list, own_dict):
        for function in (
            api.tree_util.tree_flatten,
            api.tree_util.tree_structure,
            api.tree_util.tree_flatten_with_path,
        ):
            with pytest.raises(RecursionError):
                function(tree)


def _nested(depth):
    tree: object = 1
    for _ in range(depth):
        tree = [tree]
    return tree


def test_deep_tree_is_an_error_whatever_the_recursion_limit(core):
    # In a thread of its own: pure Python would need its C stack for this.
    if core.__name__ != "sable._native":
        pytest.skip("pure Python is bound by the recursion limit")
    import sys

    failures = []

    def flatten():
        try:
            core.PyTreeRegistry().flatten(_nested(100_000))
        except RecursionError as error:
            failures.append(error)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    before = threading.stack_size(8 << 20)
    try:
        thread = threading.Thread(target=flatten)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
        sys.setrecursionlimit(limit)
    assert failures


def test_deep_treedef_needs_no_recursion(registry):
    treedef = registry.structure(0)
    wrap = registry.structure([0])
    for _ in range(5000):
        treedef = wrap.compose(treedef)
    tree = treedef.unflatten([7])
    assert treedef.flatten_up_to(tree) == [7]
    assert repr(treedef).count("[") == 5000
    assert hash(treedef) == hash(wrap.compose(treedef.children()[0]))
    assert treedef == wrap.compose(treedef.children()[0])


class Growing:
    """Its flatten function changes the container that it lies in."""

    def __init__(self, change):
        self.change = change


def test_containers_that_change_while_they_are_flattened(registry):
    registry.register_node(Growing, lambda tree: (tree.change() or (), None), lambda *_: None)
    tree: list = []
    tree += [Growing(tree.clear), 1, 2]
    leaves, treedef = registry.flatten(tree)
    assert leaves == []
    assert treedef.num_nodes == 2
    extended: list = []
    extended += [Growing(lambda: extended.append(5) if len(extended) < 4 else None), 1]
    assert registry.leaves(extended) == [1, 5]
    dictionary: dict = {}
    dictionary.update(a=Growing(dictionary.clear), b=1)
    try:
        assert registry.leaves(dictionary) == [1]  # pure Python took the values first
    except RuntimeError as error:
        assert "lost its key" in str(error)


def test_registering_during_flatten(registry):
    class Late:
        pass

    def register():
        registry.register_node(Late, lambda tree: ((1, 2), None), lambda *_: None)

    registry.register_node(Growing, lambda tree: (tree.change() or (), None), lambda *_: None)
    assert registry.leaves([Growing(register), Late()]) == [1, 2]
    with pytest.raises(ValueError, match="Duplicate custom PyTreeDef type registration"):
        registry.leaves([Growing(register)])


def test_dataclass_without_its_attribute(registry):
    class Partly:
        pass

    registry.register_dataclass_node(Partly, ["a"], [])
    for function in (registry.flatten, registry.flatten_with_path, registry.flatten_one_level):
        with pytest.raises(AttributeError, match="has no attribute 'a'"):
            function(Partly())


def test_named_tuple_with_too_few_fields(registry):
    class Odd(tuple):
        __slots__ = ()
        _fields = ("a",)

    assert registry.leaves(Odd((1, 2))) == [1, 2]
    with pytest.raises(ValueError, match="more elements than `_fields`"):
        registry.flatten_with_path(Odd((1, 2)))
    Odd._fields = (1, 2)
    with pytest.raises(TypeError, match="must be strings"):
        registry.flatten_with_path(Odd((1, 2)))


def test_flatten_call(api):
    args, kwargs = (1, {"b": 2, "a": [3]}), {"z": 4, "k": (5, None)}
    leaves, treedef = api.pytree.flatten_call(args, kwargs)
    expected_leaves, expected = api.tree_util.tree_flatten((args, kwargs))
    assert leaves == expected_leaves
    assert treedef == expected
    assert hash(treedef) == hash(expected)
    assert treedef.unflatten(leaves) == (args, kwargs)
    assert api.pytree.flatten_call((), {})[1] == api.tree_util.tree_structure(((), {}))
    for wrong in ([[], {}], [(), []], [None, {}], [(), None]):
        with pytest.raises(TypeError):
            api.pytree.flatten_call(*wrong)


def test_all_leaves_and_is_tree_node(api):
    module = api.tree_util
    assert module.all_leaves([1, "a", Tagged((1,))])
    for node in (None, (), [1], {}, Point(1, 2), collections.OrderedDict()):
        assert not module.all_leaves([0, node])
        assert module.is_tree_node(type(node))
    assert module.all_leaves([(1, 2)], is_leaf=lambda x: isinstance(x, tuple))
    assert not module.all_leaves([[1, 2]], is_leaf=lambda x: isinstance(x, tuple))
    assert not module.is_tree_node(int)
    with pytest.raises(TypeError):
        module.is_tree_node(3)
    with pytest.raises(TypeError):
        module.all_leaves(3)


def test_none_leaf_registry(api):
    registry = api.pytree.none_leaf_registry
    assert registry.leaves((None, [None, 1])) == [None, None, 1]
    assert not registry.is_node(type(None))
    assert registry.all_leaves([None])
    assert registry.flatten_one_level(None) is None


@pytest.mark.parametrize(
    "arguments",
    [(3, len, len), (Rubbish, None, len), (Rubbish, len, None), (Rubbish, len, len, 3)],
)
def test_registration_checks_its_arguments(registry, arguments):
    with pytest.raises(TypeError):
        registry.register_node(*arguments)


@pytest.mark.parametrize("node_type", [list, tuple, dict, type(None)])
def test_built_in_types_stay(registry, node_type):
    with pytest.raises(ValueError, match="Duplicate custom PyTreeDef"):
        registry.register_node(node_type, len, len)
    with pytest.raises(ValueError, match="Duplicate custom dataclass PyTreeDef"):
        registry.register_dataclass_node(node_type, [], [])
    with pytest.raises(TypeError):
        registry.register_dataclass_node(Rubbish, [1], [])


def test_named_tuple_class_can_be_registered(registry):
    registry.register_node(Point, lambda p: ((p.x,), p.y), lambda y, children: Point(children[0], y))
    leaves, treedef = registry.flatten(Point(1, 2))
    assert leaves == [1]
    assert treedef.unflatten([5]) == Point(5, 2)


def test_flatten_leaks_nothing(core):
    registry = core.PyTreeRegistry()

    @dataclasses.dataclass
    class Pair:
        a: object
        b: object

    registry.register_dataclass_node(Pair, ["a"], ["b"])
    registry.register_node(Rubbish, lambda tree: tree.result, lambda data, children: Rubbish())
    marker = object()
    bad = Rubbish()
    bad.result = ((marker, 1), marker, 3)
    trees = [
        [marker, {"b": marker, "a": (marker,)}, Pair(marker, "x"), Point(marker, None)],
        {1: marker, "a": 2},
    ]

    def exercise():
        leaves, treedef = registry.flatten(trees[0])
        registry.flatten_with_path(trees[0])
        registry.flatten_call((trees[0],), {"k": marker})
        registry.map(lambda x, y: x, trees[0], (trees[0],), None, lambda *_: None)
        treedef.unflatten(leaves)
        treedef.flatten_up_to(trees[0])
        treedef.compose(treedef.children()[1])
        core.PyTreeDef.from_state(registry, treedef.state())
        for wrong in ([marker, bad], [marker, trees[1]]):
            with pytest.raises(ValueError):
                registry.flatten(wrong)
        with pytest.raises(ValueError):
            treedef.flatten_up_to([marker] * 3 + [1])

    import sys

    exercise()
    gc.collect()
    objects, references = len(gc.get_objects()), sys.getrefcount(marker)
    for _ in range(50):
        exercise()
    gc.collect()
    assert sys.getrefcount(marker) == references
    assert len(gc.get_objects()) - objects < 20
