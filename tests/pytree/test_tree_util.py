"""The public interface, with JAX as the oracle."""

import collections
import copy
import dataclasses
import functools
import importlib
import pickle
from typing import NamedTuple

import jax
import pytest

import sable.tree
import sable.tree_util


class Pair(NamedTuple):
    a: object
    b: object


@pytest.mark.parametrize("name", ["tree", "tree_util"])
def test_every_public_name_of_jax_is_there(name):
    theirs, ours = (importlib.import_module(f"{package}.{name}") for package in ("jax", "sable"))
    public = {entry for entry in dir(theirs) if not entry.startswith("_")}
    assert public <= {*ours.__all__}
    assert all(hasattr(ours, entry) for entry in ours.__all__)


def test_keys():
    ours, theirs = sable.tree_util, jax.tree_util
    for name, argument in (
        ("DictKey", "a"),
        ("SequenceKey", 1),
        ("GetAttrKey", "x"),
        ("FlattenedIndexKey", 3),
    ):
        key, expected = getattr(ours, name)(argument), getattr(theirs, name)(argument)
        assert (repr(key), str(key)) == (repr(expected), str(expected))
        assert key.__match_args__ == expected.__match_args__
        (attribute,) = key.__match_args__
        assert getattr(key, attribute) == argument
        assert key == getattr(ours, name)(**{attribute: argument})
        assert hash(key) == hash(getattr(ours, name)(argument))
        assert pickle.loads(pickle.dumps(key)) == copy.copy(key) == key
        with pytest.raises(AttributeError):
            setattr(key, attribute, argument)
    assert ours.DictKey(1) != ours.SequenceKey(1)
    for wrong in (
        lambda: ours.SequenceKey("a"),
        lambda: ours.GetAttrKey(1),
        lambda: ours.FlattenedIndexKey("a"),
    ):
        with pytest.raises(TypeError):
            wrong()
    match ours.DictKey("k"):
        case ours.SequenceKey(idx=_):
            raise AssertionError
        case ours.DictKey(key=found):
            assert found == "k"


def test_keystr(api):
    module = api.tree_util
    path = (
        module.DictKey("a"),
        module.SequenceKey(1),
        module.GetAttrKey("x"),
        module.FlattenedIndexKey(3),
        "z",
    )
    assert module.keystr(path) == "['a'][1].x[<flat index 3>]z"
    assert module.keystr(path, simple=True, separator="/") == "a/1/x/3/z"
    assert module.keystr((), simple=True) == ""


def test_map(api):
    tree_map = api.tree_util.tree_map
    tree = {"b": (1, None), "a": [2]}
    assert tree_map(lambda x: -x, tree) == {"b": (-1, None), "a": [-2]}
    assert tree_map(lambda x, y: (x, y), (1, [2]), ([3], [(4,)])) == ((1, [3]), [(2, (4,))])
    assert tree_map(lambda x, y: x or y, (None, 1), (2, 3), is_leaf=lambda x: x is None) == (2, 1)
    assert tree_map(lambda x, *rest: sum(rest, x), (1, 2), (3, 4), (5, 6), (7, 8)) == (16, 20)
    with pytest.raises(TypeError):
        tree_map(3, [1])
    with pytest.raises(ZeroDivisionError):
        tree_map(lambda x: 1 / x, [0])
    with pytest.raises(ValueError, match="mine"):
        tree_map(lambda x: (_ for _ in ()).throw(ValueError("mine")), [0])


def test_map_with_path(api):
    module = api.tree_util
    tree, other = {"a": [1, 2], "b": 3}, {"a": [10, 20], "b": (30,)}
    result = module.tree_map_with_path(lambda path, x, y: (module.keystr(path), x, y), tree, other)
    assert result == {"a": [("['a'][0]", 1, 10), ("['a'][1]", 2, 20)], "b": ("['b']", 3, (30,))}
    assert module.tree_map_with_path(lambda *_: 0, ()) == ()
    with pytest.raises(ValueError, match=r"different lengths of list at key path\n    tree_map_with_path tree\['a'\]"):
        module.tree_map_with_path(lambda *_: 0, tree, {"a": [1], "b": 3})
    with pytest.raises(ValueError, match="List arity mismatch"):
        module.tree_map_with_path(lambda *_: 0, [1], [1, 2], is_leaf=lambda path, x: False, is_leaf_takes_path=True)


def test_reduce(api):
    module = api.tree_util
    tree = {"a": [1, 2], "b": (3, None)}
    assert module.tree_reduce(lambda a, b: a - b, tree) == 1 - 2 - 3
    assert module.tree_reduce(lambda a, b: a - b, tree, 10) == 4
    assert module.tree_reduce(lambda a, b: [a, b], [1, None], None, is_leaf=lambda x: x is None) == [
        [None, 1],
        None,
    ]
    with pytest.raises(TypeError):
        module.tree_reduce(max, ())
    assert module.tree_reduce_associative(lambda a, b: (a, b), [1, 2, 3, 4, 5]) == jax.tree.reduce_associative(
        lambda a, b: (a, b), [1, 2, 3, 4, 5]
    )
    assert module.tree_reduce_associative(max, [], identity=None) is None
    with pytest.raises(TypeError, match="Must specify identity"):
        module.tree_reduce_associative(max, [])
    assert module.tree_all([True, [1]]) and not module.tree_all([True, [0]])


def test_transpose(api):
    module = api.tree_util
    structure = module.tree_structure
    tree = {"x": (1, [2, 3]), "y": (4, [5, 6])}
    outer, inner = structure({"x": 0, "y": 0}), structure((0, [0, 0]))
    expected = ({"x": 1, "y": 4}, [{"x": 2, "y": 5}, {"x": 3, "y": 6}])
    assert module.tree_transpose(outer, inner, tree) == expected
    assert module.tree_transpose(outer, None, tree) == expected
    with pytest.raises(TypeError, match="Mismatch"):
        module.tree_transpose(outer, structure((0, 0)), tree)
    assert module.tree_transpose(structure(()), structure((0, 0)), ()) == ((), ())


def test_broadcast(api):
    module = api.tree_util
    assert module.tree_broadcast(1, {"a": 2, "b": (3, None)}) == {"a": 1, "b": (1, None)}
    assert module.tree_broadcast((None, 2), (1, [2, 3]), is_leaf=lambda x: x is None) == (None, [2, 2])


def test_aliases(api):
    for name in api.tree.__all__:
        if name != "static":
            assert getattr(api.tree, name) is getattr(api.tree_util, f"tree_{name}")


def test_register_node_class(api):
    module = api.tree_util

    @module.register_pytree_node_class
    class Box:
        def __init__(self, content):
            self.content = content

        def tree_flatten(self):
            return (self.content,), "data"

        @classmethod
        def tree_unflatten(cls, data, children):
            assert data == "data"
            return cls(*children)

    leaves, treedef = module.tree_flatten([Box((1, 2))])
    assert leaves == [1, 2]
    assert repr(treedef) == "PyTreeDef([CustomNode(Box[data], [(*, *)])])"
    assert treedef.unflatten([3, 4])[0].content == (3, 4)
    assert module.keystr(module.tree_leaves_with_path(Box(1))[0][0]) == "[<flat index 0>]"
    with pytest.raises(ValueError, match="Duplicate"):
        module.register_pytree_node_class(Box)


@pytest.mark.parametrize("fast", [False, True])
def test_register_with_keys_class(api, fast):
    module = api.tree_util
    calls = []

    class Special:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def tree_flatten_with_keys(self):
            calls.append("keys")
            return ((module.GetAttrKey("x"), self.x), ("anything", self.y)), None

        @classmethod
        def tree_unflatten(cls, data, children):
            return cls(*children)

    if fast:
        Special.tree_flatten = lambda self: ((self.x, self.y), None)
    assert module.register_pytree_with_keys_class(Special) is Special
    assert module.tree_leaves(Special(1, [2])) == [1, 2]
    assert calls == ([] if fast else ["keys"])
    paths = [module.keystr(path) for path, _ in module.tree_leaves_with_path(Special(1, [2]))]
    assert paths == [".x", "anything[0]"]
    assert module.tree_map(lambda x: x + 1, Special(1, [2])).y == [3]


def test_register_static(api):
    module = api.tree_util

    @module.register_static
    class Mode(str):
        __slots__ = ()

    structure = module.tree_structure
    assert module.tree_leaves([Mode("a"), 1]) == [1]
    assert structure(Mode("a")) == structure(Mode("a")) != structure(Mode("b"))
    assert hash(structure(Mode("a"))) != hash(structure(Mode("b")))
    assert structure(Mode("a")).unflatten([]) == "a"


def _layer_class():
    @dataclasses.dataclass
    class Layer:
        weight: object
        bias: object = 0
        name: str = dataclasses.field(default="dense", metadata={"static": True})

    return Layer


def test_register_dataclass(api):
    module = api.tree_util
    Layer = module.register_dataclass(_layer_class())
    leaves, treedef = module.tree_flatten({"l": Layer((1, 2), name="conv")})
    assert leaves == [1, 2, 0]
    assert repr(treedef) == "PyTreeDef({'l': CustomNode(Layer[('conv',)], [(*, *), *])})"
    assert treedef.unflatten([3, 4, 5]) == {"l": Layer((3, 4), 5, "conv")}
    paths = [module.keystr(path) for path, _ in module.tree_leaves_with_path(Layer([1]))]
    assert paths == [".weight[0]", ".bias"]
    assert module.flatten_one_level(Layer(1)) == ([1, 0], ("dense",))
    assert module.tree_structure(Layer(1)) != module.tree_structure(Layer(1, name="x"))
    with pytest.raises(ValueError, match=r"different pytree metadata at key path\n    tree_map tree\[0\]"):
        module.tree_map(lambda *_: 0, [Layer(1)], [Layer(1, name="x")])
    with pytest.raises(ValueError, match="Duplicate custom dataclass PyTreeDef"):
        module.register_dataclass(Layer)


def test_register_dataclass_with_fields(api):
    module = api.tree_util
    Layer = functools.partial(
        module.register_dataclass, data_fields=["weight"], meta_fields=["name"], drop_fields=["bias"]
    )(_layer_class())
    assert module.tree_leaves(Layer(1, 5)) == [1]
    assert module.tree_map(lambda x: x + 1, Layer(1, 5)) == Layer(2, 0)
    dropped = module.register_dataclass(_layer_class(), drop_fields=["bias"])
    assert module.tree_leaves(dropped(1, 5)) == [1]

    class Plain:
        def __init__(self, a, b):
            self.a, self.b = a, b

    module.register_dataclass(Plain, ["a"], ["b"])
    assert vars(module.tree_map(lambda x: x + 1, Plain(1, "b"))) == {"a": 2, "b": "b"}


@dataclasses.dataclass
class Computed:
    x: int
    y: int = dataclasses.field(init=False, default=2)


@pytest.mark.parametrize(
    "arguments",
    [
        (Computed,),
        (Computed, ["x", "z"], []),
        (Computed, ["x"]),
        (Computed, None, ["x"]),
        (int,),
        (Computed, ["x"], ["x"]),
        (Computed, [], []),
    ],
)
def test_register_dataclass_errors(api, arguments):
    with pytest.raises((TypeError, ValueError)) as theirs:
        jax.tree_util.register_dataclass(*arguments)
    with pytest.raises(theirs.type) as ours:
        api.tree_util.register_dataclass(*arguments)
    assert str(ours.value)[:40] == str(theirs.value)[:40]


def test_static_field(api):
    @api.tree_util.register_dataclass
    @dataclasses.dataclass
    class Scale:
        factor: float
        axis: int = api.tree.static(default=1, metadata={"unit": "m"})

    field = dataclasses.fields(Scale)[1]
    assert dict(field.metadata) == {"static": True, "unit": "m"}
    assert api.tree_util.tree_leaves(Scale(2.0)) == [2.0]


def test_partial(api):
    module = api.tree_util
    partial = module.Partial(max, 1, [2], key=abs)
    leaves, treedef = module.tree_flatten(partial)
    assert leaves == [1, 2, abs]
    assert repr(treedef) == "PyTreeDef(CustomNode(Partial[<built-in function max>], [(*, [*]), {'key': *}]))"
    rebuilt = treedef.unflatten(leaves)
    assert type(rebuilt) is module.Partial
    assert (rebuilt.func, rebuilt.args, rebuilt.keywords) == (max, (1, [2]), {"key": abs})
    assert module.tree_structure(module.Partial(max, 1)) == module.tree_structure(module.Partial(max, 2))
    assert module.tree_structure(module.Partial(max, 1)) != module.tree_structure(module.Partial(min, 1))


def test_partial_of_partial(api):
    module = api.tree_util
    inner = functools.partial(divmod, 7)
    outer = module.Partial(inner, 2)
    assert outer() == (3, 1)
    assert module.tree_leaves(outer) == [2]
    assert module.tree_structure(outer) == module.tree_structure(module.Partial(inner, 3))
    assert module.tree_structure(outer) != module.tree_structure(module.Partial(functools.partial(divmod, 7), 2))
    nested = module.Partial(module.Partial(divmod, 7), 2)
    assert nested() == (3, 1)
    assert module.tree_leaves(nested) == [2]


def test_partial_is_pickled():
    partial = sable.tree_util.Partial(functools.partial(divmod, 7), 2)
    assert (partial.func.func, partial.func.args, partial.func.keywords) == (divmod, (7,), {})
    assert pickle.loads(pickle.dumps(partial))() == (3, 1)


def test_treedef_properties(api):
    module = api.tree_util
    assert module.treedef_is_leaf(module.tree_structure(1))
    assert module.treedef_is_leaf(module.tree_structure(()))
    assert not module.treedef_is_leaf(module.tree_structure((1,)))
    assert isinstance(module.tree_structure(1), module.PyTreeDef)
    assert module.PyTreeDef.__module__ == "sable.tree_util"


def test_order_of_dicts(api):
    module = api.tree_util
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    assert module.tree_leaves(ordered) == [1, 2]
    assert list(module.tree_map(lambda x: x, ordered)) == ["b", "a"]
    default = module.tree_map(lambda x: x, collections.defaultdict(list, b=1, a=2))
    assert default.default_factory is list
    assert list(module.tree_map(lambda x: x, {"b": 1, "a": 2})) == ["a", "b"]
    assert module.tree_structure(ordered) != module.tree_structure(collections.OrderedDict([("a", 1), ("b", 2)]))
    assert module.tree_structure({"b": 1, "a": 2}) == module.tree_structure({"a": 1, "b": 2})
