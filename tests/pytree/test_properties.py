"""Random trees: round trips, JAX as the oracle, and agreement of the two implementations."""

import collections
from typing import NamedTuple

import jax
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


class Pair(NamedTuple):
    a: object
    b: object


_KEYS = st.one_of(st.text(max_size=3), st.sampled_from(["w", "b", "layer1"]))


def _containers(children):
    return st.one_of(
        st.lists(children, max_size=4),
        st.lists(children, max_size=4).map(tuple),
        st.dictionaries(_KEYS, children, max_size=20),
        st.dictionaries(st.integers(), children, max_size=4),
        st.dictionaries(_KEYS, children, max_size=3).map(collections.OrderedDict),
        st.dictionaries(_KEYS, children, max_size=3).map(lambda items: collections.defaultdict(int, items)),
        st.tuples(children, children).map(lambda pair: Pair(*pair)),
    )


TREES = st.recursive(st.one_of(st.none(), st.integers(), st.text(max_size=2)), _containers, max_leaves=25)
# The fixtures hold modules, which examples do not change.
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SETTINGS
@given(tree=TREES)
def test_round_trip_and_oracle(api, tree):
    module = api.tree_util
    leaves, treedef = module.tree_flatten(tree)
    expected, expected_treedef = jax.tree_util.tree_flatten(tree)
    assert leaves == expected
    assert repr(treedef) == repr(expected_treedef)
    rebuilt = treedef.unflatten(leaves)
    assert rebuilt == tree
    assert repr(treedef) == repr(module.tree_structure(rebuilt))
    assert module.tree_structure(rebuilt) == treedef
    assert hash(module.tree_structure(rebuilt)) == hash(treedef)
    assert treedef.flatten_up_to(tree) == leaves
    assert module.PyTreeDef.from_state(module.default_registry, treedef.state()) == treedef
    paths = [module.keystr(path) for path, _ in module.tree_leaves_with_path(tree)]
    assert paths == [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(tree)]
    children = treedef.children()
    assert sum(child.num_leaves for child in children) == treedef.num_leaves - (repr(treedef) == "PyTreeDef(*)")


@SETTINGS
@given(first=TREES, second=TREES)
def test_equality_is_that_of_jax(api, first, second):
    ours = [api.tree_util.tree_structure(tree) for tree in (first, second)]
    theirs = [jax.tree.structure(tree) for tree in (first, second)]
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])


@SETTINGS
@given(prefix=TREES, full=TREES)
def test_flatten_up_to_agrees_with_jax(api, prefix, full):
    treedef, expected_treedef = api.tree_util.tree_structure(prefix), jax.tree.structure(prefix)
    try:
        expected = expected_treedef.flatten_up_to(full)
    except ValueError:
        with pytest.raises(ValueError):
            treedef.flatten_up_to(full)
        with pytest.raises(ValueError, match="pytree structure error"):
            api.tree_util.tree_map(lambda *_: None, prefix, full)
    else:
        assert treedef.flatten_up_to(full) == expected


@SETTINGS
@given(tree=TREES, data=st.data())
def test_prefixes_broadcast(api, tree, data):
    """A tree cut off at random places is a prefix of the tree."""
    cuts = data.draw(st.sets(st.integers(0, 30)))
    count = iter(range(10**6))
    prefix = api.tree_util.tree_map(lambda subtree: subtree, tree, is_leaf=lambda _: next(count) in cuts)
    count = iter(range(10**6))
    treedef = api.tree_util.tree_structure(prefix, is_leaf=lambda _: next(count) in cuts)
    marks = treedef.unflatten(range(treedef.num_leaves))
    result = api.pytree.broadcast_prefix(marks, tree)
    assert len(result) == api.tree_util.tree_structure(tree).num_leaves
    assert result == sorted(result)


@SETTINGS
@given(outer=TREES, inner=TREES)
def test_compose(api, outer, inner):
    structure = api.tree_util.tree_structure
    composed = structure(outer).compose(structure(inner))
    count = structure(outer).num_leaves
    assert composed == structure(structure(outer).unflatten([inner] * count))
