"""Programs over a mesh of one device, beside JAX: values, shardings, specs, and errors by their class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

X = np.arange(12, dtype=np.float32).reshape(4, 3)
V = np.arange(3, dtype=np.float32)


def auto(j: Any, names: tuple = ("i",)) -> Any:
    """A mesh whose axes the compiler lays out: JAX's types of arrays do not show them."""
    return j.sharding.Mesh(np.array(j.devices()[:1]).reshape([1] * len(names)), names)


def named(j: Any, *spec: Any) -> Any:
    return j.NamedSharding(auto(j), j.P(*spec))


def mapped(j: Any, f: Callable, in_specs: Any, out_specs: Any, **options: Any) -> Any:
    return j.shard_map(f, mesh=auto(j), in_specs=in_specs, out_specs=out_specs, **options)


def _in_two_axes(j: Any) -> Any:
    def f(x: Any) -> Any:
        return j.lax.psum(x, ("i", "k")) + j.lax.axis_index("i") + j.lax.axis_size("k")

    return j.shard_map(f, mesh=auto(j, ("i", "k")), in_specs=j.P("i", "k"), out_specs=j.P("i", "k"))(X)


def _collectives(j: Any) -> Any:
    lax = j.lax

    def f(x: Any) -> Any:
        return (
            lax.psum(x, "i"),
            lax.pmax(x, "i"),
            lax.all_gather(x, "i"),
            lax.all_gather(x, "i", tiled=True),
            lax.ppermute(x, "i", [(0, 0)]),
            lax.all_to_all(x, "i", 0, 0, tiled=True),
            lax.psum_scatter(x, "i", tiled=True),
            lax.axis_index("i"),
        )

    return mapped(j, f, j.P("i"), j.P(), check_vma=False)(X)


def _with_mesh(j: Any, f: Callable) -> Any:
    with j.set_mesh(auto(j)):
        return f()


def _set_and_unset(j: Any) -> Any:
    j.set_mesh(auto(j))
    try:
        return j.sharding.get_mesh().axis_names, j.sharding.get_abstract_mesh().axis_sizes
    finally:
        j.set_mesh(None)


def _retraced_by_mesh(j: Any) -> Any:
    seen = []
    f = j.jit(lambda x: (seen.append(j.sharding.get_abstract_mesh().axis_names), x)[1])
    f(1.0)
    _with_mesh(j, lambda: f(1.0))
    f(1.0)
    return seen


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "texts": lambda j: [
        repr(auto(j)),
        str(auto(j)),
        repr(j.make_mesh((1,), ("i",))),
        repr(named(j, "i")),
        repr(j.P("i", None, ("a", "b"))),
        repr(j.P(("a",), ())),
        repr(j.P("i", unreduced={"a"})),
        repr(j.sharding.AbstractMesh((2, 3), ("a", "b"))),
        repr(auto(j).abstract_mesh),
        repr(j.ShapeDtypeStruct((3,), np.float32, sharding=named(j, "i"))),
        repr(j.sharding.AxisType.Auto),
        repr(j.sharding.ManualAxisType()),
    ],
    "specs": lambda j: [
        j.P("i") == j.P(("i",)),
        j.P("i") == j.P("i", None),
        j.P("i") == ("i",),
        hash(j.P("i")) == hash(j.P("i")),
        tuple(j.P("a") + j.P("b")),
        tuple(("c",) + j.P("a") + ("b",)),
        j.P("a", None, "b").index("b"),
        j.P("a", None, None).count(None),
        len(j.P("a", "b")),
        j.P("a", "b")[1],
        repr(j.P("a").update(partitions=("c", "d"))),
        len(j.tree.leaves([j.P("a", "b"), j.P()])),
    ],
    "meshes": lambda j: [
        dict(auto(j, ("a", "b")).shape),
        auto(j).size,
        auto(j).empty,
        auto(j) == auto(j),
        auto(j) == j.make_mesh((1,), ("i",)),
        auto(j).axis_sizes,
        auto(j).devices.shape,
        auto(j).devices.flags.writeable,
        auto(j).device_ids.tolist(),
        auto(j).shape_tuple,
        repr(auto(j).update(axis_names=("z",))),
        j.sharding.get_mesh().empty,
        j.sharding.get_abstract_mesh().axis_names,
    ],
    "shardings": lambda j: [
        named(j, "i").num_devices,
        named(j, "i").is_fully_replicated,
        named(j, "i").shard_shape((4, 2)),
        named(j, "i") == named(j, "i"),
        named(j, "i") == named(j),
        named(j, "i").is_equivalent_to(j.sharding.SingleDeviceSharding(j.devices()[0]), 1),
        j.sharding.make_single_device_sharding(j.devices()[0]) == named(j, "i"),
        list(named(j, "i").devices_indices_map((4, 2)).values()),
        j.NamedSharding(j.sharding.AbstractMesh((2, 3), ("a", "b")), j.P(("a", "b"))).shard_shape((12, 2)),
        repr(j.NamedSharding(j.sharding.AbstractMesh((2,), ("a",)), j.P("a"))),
    ],
    "device_put": lambda j: [j.device_put(X, named(j, "i")), repr(j.device_put(X, named(j, "i")).sharding)],
    "device_put by spec": lambda j: _with_mesh(j, lambda: repr(j.device_put(V, j.P("i")).sharding)),
    "zeros": lambda j: repr(j.numpy.zeros(3, device=named(j, "i")).sharding),
    "in_shardings": lambda j: j.jit(lambda x, y: x + y, in_shardings=(named(j, "i"), None))(X, V),
    "in_shardings of pytrees": lambda j: j.jit(lambda d: d["a"] + d["b"], in_shardings=named(j))({"a": X, "b": V}),
    "in_shardings, static": lambda j: j.jit(lambda n, x: x * n, static_argnums=0, in_shardings=named(j))(3, V),
    "out_shardings": lambda j: repr(j.jit(lambda x: x + 1, out_shardings=named(j, "i"))(V).sharding),
    "out_shardings of pytrees": lambda j: j.jit(
        lambda x: {"a": x, "b": (x, x)}, out_shardings={"a": None, "b": named(j)}
    )(V),
    "in_shardings in jit": lambda j: j.jit(lambda x: j.jit(lambda y: y * 2, in_shardings=named(j, "i"))(x) + 1)(V),
    "gradient": lambda j: j.grad(lambda x: j.jit(lambda y: (y * y).sum(), in_shardings=named(j, "i"))(x))(V),
    "constraint": lambda j: repr(j.lax.with_sharding_constraint(j.numpy.ones(3), named(j, "i")).sharding),
    "constraint in jit": lambda j: j.jit(lambda x: j.lax.with_sharding_constraint(x, named(j, "i")) * 2)(X),
    "constraint by spec": lambda j: _with_mesh(
        j, lambda: j.jit(lambda x: j.lax.with_sharding_constraint(x, j.P("i")))(V)
    ),
    "callback": lambda j: j.make_array_from_callback((4, 3), named(j, "i"), lambda index: X[index]),
    "parts": lambda j: j.make_array_from_single_device_arrays((3,), named(j, "i"), [j.device_put(V, j.devices()[0])]),
    "local data": lambda j: j.make_array_from_process_local_data(named(j, "i"), V),
    "set_mesh": _set_and_unset,
    "retraced": _retraced_by_mesh,
    "shard_map": lambda j: mapped(j, lambda x: j.lax.psum(x, "i"), j.P("i"), j.P())(V),
    "shard_map: sharding": lambda j: repr(mapped(j, lambda x: x * 2, j.P("i"), j.P("i"))(V).sharding),
    "shard_map: two axes": _in_two_axes,
    "shard_map: some axes": lambda j: j.jit(
        j.shard_map(lambda x: x * 2, mesh=auto(j, ("i", "k")), in_specs=j.P("i"), out_specs=j.P("i"), axis_names={"i"})
    )(X),
    "shard_map: collectives": _collectives,
    "shard_map: pytrees": lambda j: mapped(j, lambda d, y: {"s": d["a"] + y}, (j.P("i"), j.P()), j.P("i"))({"a": X}, V),
    "shard_map: static": lambda j: mapped(j, lambda n, x: x * n, (None, j.P("i")), j.P("i"))(3, X),
    "shard_map: jit": lambda j: j.jit(mapped(j, lambda x: j.lax.psum(x.sum(), "i"), j.P("i"), j.P()))(X),
    "shard_map: grad": lambda j: j.grad(
        lambda x: mapped(j, lambda y: j.lax.psum((y * y).sum(), "i"), j.P("i"), j.P())(x)
    )(V),
    "shard_map: vmap": lambda j: j.vmap(mapped(j, lambda x: x + j.lax.axis_index("i"), j.P("i"), j.P("i")))(X),
    "shard_map: decorator": lambda j: j.shard_map(mesh=auto(j), in_specs=j.P("i"), out_specs=j.P("i"))(lambda x: x + 1)(
        V
    ),
    "shard_map: mesh of the thread": lambda j: _with_mesh(
        j, lambda: j.shard_map(lambda x: x + 1, in_specs=j.P("i"), out_specs=j.P("i"))(V)
    ),
    "shard_map: keys": lambda j: mapped(j, lambda k: j.random.normal(k, (2,)), j.P(), j.P())(j.random.key(3)),
    "smap": lambda j: _with_mesh(
        j, lambda: j.smap(lambda x: x + j.lax.axis_index("i"), in_axes=0, out_axes=0, axis_name="i")(X)
    ),
    "pmap": lambda j: j.pmap(lambda x: x / j.lax.psum(x, "i"), "i")(X[:1] + 1),
    "pmap: axes": lambda j: j.pmap(lambda x, y: (x + y, y), in_axes=(1, None), out_axes=(1, None))(X[:, :1], V[:1]),
    "pmap: static": lambda j: j.pmap(lambda n, x: x * n, static_broadcasted_argnums=0)(3, X[:1]),
    "pmap: grad": lambda j: j.grad(lambda x: j.pmap(lambda y: (y * y).sum())(x)[0])(X[:1]),
    "pmap in vmap": lambda j: j.vmap(j.pmap(lambda x: x + 1))(X[:, None]),
}

ERRORS: dict[str, Callable[[Any], Any]] = {
    "no such axis": lambda j: named(j, "j"),
    "Mesh: ranks": lambda j: j.sharding.Mesh(j.devices()[:1], ("a", "b")),
    "Mesh: types": lambda j: j.sharding.Mesh(j.devices()[:1], ("a",), (1,)),
    "make_mesh": lambda j: j.make_mesh((len(j.devices()) + 1,), ("i",)),
    "spec: overlap": lambda j: j.P("a", unreduced={"a"}),
    "spec: no set": lambda j: j.P("a", unreduced="b"),
    "spec: subclass": lambda j: type("Q", (j.P,), {}),
    "abstract devices": lambda j: j.sharding.AbstractMesh((1,), ("a",)).devices,
    "device_put: no mesh": lambda j: j.device_put(V, j.P("i")),
    "device_put: no device": lambda j: j.device_put(V, 3),
    "in_shardings: rank": lambda j: j.jit(lambda x: x, in_shardings=named(j, "i"))(1.0),
    "in_shardings: length": lambda j: j.jit(lambda x, y: x, in_shardings=(named(j),))(V, V),
    "in_shardings: no mesh": lambda j: j.jit(lambda x: x, in_shardings=j.P("i"))(V),
    "in_shardings: a device": lambda j: j.jit(lambda x: x, in_shardings=j.devices()[0]),
    "in_shardings: a number": lambda j: j.jit(lambda x: x, in_shardings=3),
    "out_shardings: rank": lambda j: j.jit(lambda x: x, out_shardings=named(j, "i"))(1.0),
    "out_shardings: length": lambda j: j.jit(lambda x: (x, x), out_shardings=(named(j),))(V),
    "constraint: rank": lambda j: j.lax.with_sharding_constraint(j.numpy.ones(()), named(j, "i")),
    "constraint: no mesh": lambda j: j.lax.with_sharding_constraint(V, j.P("i")),
    "constraint in jit: rank": lambda j: j.jit(lambda x: j.lax.with_sharding_constraint(x, named(j, "i")))(1.0),
    "callback: shape": lambda j: j.make_array_from_callback((4,), named(j, "i"), lambda index: V),
    "parts: shape": lambda j: j.make_array_from_single_device_arrays((4,), named(j, "i"), [j.numpy.ones(3)]),
    "set_mesh: no mesh": lambda j: j.set_mesh(3),
    "set_mesh in jit": lambda j: j.jit(lambda x: (j.set_mesh(auto(j)), x)[1])(1.0),
    "get_mesh in jit": lambda j: j.jit(lambda x: (j.sharding.get_mesh(), x)[1])(1.0),
    "use_abstract_mesh": lambda j: j.sharding.use_abstract_mesh(3),
    "ManualAxisType": lambda j: j.sharding.ManualAxisType(varying=frozenset("a"), unreduced=frozenset("a")),
    "shard_map: no function": lambda j: mapped(j, 3, j.P("i"), j.P("i")),
    "shard_map: no mesh": lambda j: j.shard_map(lambda x: x, in_specs=j.P("i"), out_specs=j.P("i"))(V),
    "shard_map: no spec": lambda j: mapped(j, lambda x: x, "i", j.P())(V),
    "shard_map: axis in": lambda j: mapped(j, lambda x: x, j.P("k"), j.P())(V),
    "shard_map: axis out": lambda j: mapped(j, lambda x: x, j.P("i"), j.P("k"))(V),
    "shard_map: rank in": lambda j: mapped(j, lambda x: x, j.P("i", None), j.P())(V),
    "shard_map: rank out": lambda j: mapped(j, lambda x: x.sum(), j.P("i"), j.P("i"))(V),
    "shard_map: length": lambda j: mapped(j, lambda x: x, (j.P("i"), j.P()), j.P("i"))(V),
    "shard_map: differs": lambda j: mapped(j, lambda x: x, j.P("i"), j.P())(V),
    "shard_map: axis_names": lambda j: mapped(j, lambda x: x, j.P("i"), j.P("i"), axis_names={"k"})(V),
    "smap: names": lambda j: j.smap(lambda x: x, in_axes=0, out_axes=0, axis_name=("i", "k")),
    "smap: axes": lambda j: j.smap(lambda x: x, in_axes="a", out_axes=0, axis_name="i"),
    "pmap: size": lambda j: j.pmap(lambda x: x)(np.ones((len(j.devices()) + 1, 3), np.float32)),
    "pmap: no function": lambda j: j.pmap(3),
    "device and shardings": lambda j: j.jit(lambda x: x, in_shardings=named(j), backend="cpu"),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_programs(name: str) -> None:
    ours, theirs = (sable.tree.leaves(list(_flat(PROGRAMS[name](j)))) for j in (sable, jax))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        if isinstance(b, (str, bool, slice)):
            assert a == b
        else:
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-6)
            assert np.asarray(a).dtype == np.asarray(b).dtype


def _flat(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        for each in x:
            yield from _flat(each)
    elif isinstance(x, dict):
        yield from _flat([x[k] for k in sorted(x)])
    else:
        yield x


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_errors(name: str) -> None:
    with pytest.raises(Exception) as theirs:
        ERRORS[name](jax)
    with pytest.raises(Exception) as ours:
        ERRORS[name](sable)
    classes = {c.__name__ for c in type(ours.value).__mro__} - {"object", "BaseException", "Exception"}
    assert type(theirs.value).__name__ in classes or isinstance(ours.value, type(theirs.value)), (
        ours.value,
        theirs.value,
    )


def test_many_devices_are_refused() -> None:
    both = np.array([sable.devices("cpu")[0]] * 2)
    mesh = sable.sharding.Mesh(both, ("i",))
    place = sable.NamedSharding(mesh, sable.P("i"))
    for refused in (
        lambda: sable.device_put(X, place),
        lambda: sable.jit(lambda x: x, in_shardings=place)(X),
        lambda: sable.jit(lambda x: x, out_shardings=place)(X),
        lambda: sable.shard_map(lambda x: x, mesh=mesh, in_specs=sable.P("i"), out_specs=sable.P("i"))(X),
        lambda: sable.make_array_from_callback((4,), place, lambda index: X[0]),
        lambda: sable.pmap(lambda x: x, devices=list(both)),
    ):
        with pytest.raises(NotImplementedError, match="one device"):
            refused()


def test_a_layout_is_kept_and_lost() -> None:
    x = sable.device_put(X, named(sable, "i"))
    assert x.committed and x.sharding == named(sable, "i") == x.clone().sharding == x.format.sharding
    assert sable.device_put(x, named(sable, "i")) is x
    assert sable.device_put(x, sable.devices("cpu")[0]).sharding == sable.sharding.SingleDeviceSharding(x.device)
    assert (x + 1).sharding.is_equivalent_to(x.sharding, 2) and (x + 1).committed


def test_specs_that_fit_no_array() -> None:
    mesh = sable.sharding.AbstractMesh((2,), ("a",))
    with pytest.raises(ValueError, match="axis 0 is partitioned 2 times, but the dimension size is 3"):
        sable.NamedSharding(mesh, sable.P("a")).shard_shape((3,))
    with pytest.raises(ValueError, match="duplicate entries for `a`"):
        sable.NamedSharding(mesh, sable.P("a", "a"))
