"""Prefixes: broadcasting them, trees of axes, and messages on trees that do not match."""

import collections
import dataclasses
from typing import NamedTuple

import jax
import pytest
from jax._src import api_util
from jax._src import tree_util as jax_tree_util


class Pair(NamedTuple):
    a: object
    b: object


MISMATCHES = [
    ((1, 2), (1, 2, 3), "different lengths of tuple"),
    ([1, 2], [1], "different lengths of list"),
    ((1, 2), [1, 2], "different types"),
    (None, 1, "different types"),
    ({"a": 1}, {"b": 1}, "different pytree metadata"),
    ({"a": 1}, {"a": 1, "b": 2}, "different numbers of pytree children"),
    ({"a": 1}, 3, "different types"),
    (Pair(1, 2), (1, 2), "different types"),
    (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=1, a=2), "different pytree metadata"),
    (((1, 2), 3), ((1, 2, 3), 4), "different lengths of tuple"),
    ({"k": [0, {"x": (1,)}]}, {"k": [0, {"x": [1]}]}, "different types"),
]


def _first_lines(error):
    """The title and the place: what JAX's message and ours share."""
    return str(error).splitlines()[:2]


@pytest.mark.parametrize(("prefix", "full", "title"), MISMATCHES, ids=lambda x: repr(x)[:30])
def test_prefix_errors(api, prefix, full, title):
    for function in ("tree_map", "tree_broadcast"):
        arguments = (prefix, full) if function == "tree_broadcast" else (lambda *_: 0, prefix, full)
        with pytest.raises(ValueError, match=f"pytree structure error: {title} at key path") as ours:
            getattr(api.tree_util, function)(*arguments)
        with pytest.raises(ValueError) as theirs:
            getattr(jax.tree_util, function)(*arguments)
        assert _first_lines(ours.value) == _first_lines(theirs.value)
    errors = [make("it") for make in api.pytree.prefix_errors(prefix, full)]
    expected = [make("it") for make in jax_tree_util.prefix_errors(prefix, full)]
    assert list(map(_first_lines, errors)) == list(map(_first_lines, expected))


def test_messages_are_informative(api):
    (make,) = api.pytree.prefix_errors({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "z": 2, "y": 3}})
    assert str(make("in_axes")) == (
        "pytree structure error: different numbers of pytree children at key path\n"
        "    in_axes['a']\n"
        "There the prefix pytree in_axes has\n"
        "    a <class 'dict'> with 2 child keys: x, y\n"
        "but the full pytree has\n"
        "    one with 3 child keys: x, y, z\n"
        "Only one of them has: z"
    )


def test_all_errors_are_listed(api):
    errors = api.pytree.prefix_errors(((1, 2), [3], 4), ((1,), (3,), 4))
    assert [_first_lines(make("t"))[1].strip() for make in errors] == ["t[0]", "t[1]"]


def test_is_leaf_applies_at_every_level(api):
    tree, full = ({"a": None}, 1), ({"a": (1, 2)}, 3)
    is_none = lambda x: x is None  # noqa: E731
    assert api.pytree.prefix_errors(tree, full, is_none) == []
    assert api.pytree.broadcast_prefix(tree, full, is_none) == [None, None, 1]


def test_mismatch_without_explanation(api):
    """A node whose number of children is not in its data: the core's own error remains."""

    class Odd:
        count = 0

    def children(tree):
        Odd.count += 1
        return range(2 if Odd.count > 1 else 1), None

    api.tree_util.register_pytree_node(Odd, children, lambda *_: None)
    with pytest.raises(ValueError, match="Custom type arity mismatch"):
        api.tree_util.tree_map(lambda *_: 0, Odd(), Odd())


def test_broadcast_prefix(api):
    cases = [
        (1, {"a": 2, "b": 3}),
        ((1, 2), ([1, 2, 3], None)),
        (({"a": 1}, 2), ({"a": (3, 4)}, 5)),
        ((), ()),
        (0, ()),
        (Pair(1, 2), Pair((1, 1), [])),
    ]
    for prefix, full in cases:
        assert api.pytree.broadcast_prefix(prefix, full) == jax_tree_util.broadcast_prefix(prefix, full)


AXES = [
    ((1, {"a": 2, "b": 3}), (None, 0)),
    ((1, {"a": 2, "b": 3}), (0, {"a": None, "b": 1})),
    ((1, (2, 3)), 0),
    ((1, (2, 3)), None),
    ((), 0),
    ((None, 1), (0, 1)),
    ((None, 1), (None, 1)),
    ([1, Pair(2, [3])], [0, Pair(1, None)]),
    ({"a": collections.OrderedDict(b=1, a=2)}, {"a": collections.OrderedDict(b=0, a=1)}),
]


@pytest.mark.parametrize(("tree", "axes"), AXES, ids=repr)
def test_flatten_axes(api, tree, axes):
    ours = api.pytree.flatten_axes("vmap in_axes", api.pytree.structure(tree), axes)
    assert ours == api_util.flatten_axes("vmap in_axes", jax.tree.structure(tree), axes)


WRONG_AXES = [
    ((1, {"a": 2, "b": 3}), (None, {"a": 0}), {"tupled_args": True}, r"vmap in_axes\[1\]"),
    (((1, 2),), (0, 1), {"tupled_args": True}, "might need to be wrapped in a singleton tuple"),
    ((((1, 2),), {}), ((0, 1), 0), {"tupled_args": True, "kws": True}, "singleton tuple"),
    ((1, 2), (0, 1, 2), {}, "different lengths of tuple"),
    ((1, 2), [0, 1], {}, "different types"),
    ((1, 2), (0, (1,)), {}, r"vmap in_axes\[1\]"),
    ({"a": 1}, {"b": 1}, {}, "different pytree metadata"),
]


@pytest.mark.parametrize(("tree", "axes", "options", "message"), WRONG_AXES, ids=repr)
def test_flatten_axes_errors(api, tree, axes, options, message):
    head = "vmap in_axes specification must be a tree prefix of the corresponding value"
    with pytest.raises(ValueError, match=f"(?s)^{head}.*{message}") as info:
        api.pytree.flatten_axes("vmap in_axes", api.pytree.structure(tree), axes, **options)
    assert "Mismatch details (1 found)" in str(info.value)
    with pytest.raises(ValueError, match=head):
        api_util.flatten_axes("vmap in_axes", jax.tree.structure(tree), axes, **options)


def test_none_is_an_axis_in_error_messages_too(api):
    with pytest.raises(ValueError) as info:
        api.pytree.flatten_axes("in_axes", api.pytree.structure((1, {"a": 2, "b": 3})), (None, {"a": 0}))
    assert "NoneType" not in str(info.value)


def test_flatten_axes_with_a_class_that_refuses_placeholders(api):
    @api.tree_util.register_dataclass
    @dataclasses.dataclass
    class Strict:
        value: float

        def __post_init__(self):
            if not isinstance(self.value, float):
                raise TypeError("value must be a float")

    with pytest.raises(ValueError, match=r"no details: .* TypeError: value must be a float"):
        api.pytree.flatten_axes("in_axes", api.pytree.structure((Strict(1.0),)), (0, 1))


EQUALITY = [
    ({"a": 1, "b": (1, 2)}, {"a": 1, "b": (1, 2, 3)}),
    ([1, (2, 3)], [1, [2, 3]]),
    ((1, {"a": 1}), (1, {"b": 1})),
    ((1, 2), (1, 2)),
]


@pytest.mark.parametrize(("first", "second"), EQUALITY, ids=repr)
def test_equality_errors(api, first, second):
    def plain(errors):
        return [(jax.tree_util.keystr(path), *(str(part) for part in rest)) for path, *rest in errors]

    ours = plain(api.pytree.equality_errors(first, second))
    theirs = plain(jax_tree_util.equality_errors(first, second))
    assert [error[0] for error in ours] == [error[0] for error in theirs]
    assert [error[3] for error in ours] == [error[3] for error in theirs]
    if "metadata" not in str(theirs):
        assert ours == theirs


def test_treedef_differences_name_dataclass_fields(api):
    @api.tree_util.register_dataclass
    @dataclasses.dataclass
    class Layer:
        weight: object
        bias: object

    ((path, first, second, why),) = api.pytree.equality_errors([Layer(1, {"x": 1})], [Layer(1, {"x": 1, "y": 2})])
    assert api.tree_util.keystr(path) == "[0].bias"
    assert first == "<class 'dict'> with 1 child"
    assert second == "<class 'dict'> with 2 children"
    assert why == "the numbers of children do not match, with the symmetric difference of key sets: {y}"
    (difference,) = api.pytree.equality_errors([1], [(1,)])
    assert difference[1:3] == ("pytree leaf", "<class 'tuple'>")
