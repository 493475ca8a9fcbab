"""Other libraries take our arrays as they take JAX's: expressions with results of the same types and values."""

from __future__ import annotations

import importlib
import io
import itertools
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import sable

from .oracle import jax

#: library -> the names by which expressions call its modules, and the expressions
EXPRESSIONS = {
    "numpy": (
        {},
        """
        np.sin(x)
        np.add(x, n)
        np.add(n.copy(), x, out=n.copy())
        np.concatenate([x, x])
        np.stack([x, n])
        np.where(x > 1, x, 0)
        np.linalg.norm(x)
        np.linalg.solve(jnp.eye(2), jnp.ones(2))
        np.fft.fft(x)
        np.einsum("ij,j", m, x)
        np.mean(x), np.sum(m, axis=0), np.max(m), np.argmax(x), np.round(x, 1), np.reshape(x, (3, 1))
        np.clip(x, 0, 1)
        np.cumsum(x)
        np.histogram(x, 3)
        np.interp(1.5, x, x)
        np.broadcast_to(x, (2, 3))
        np.array([x, x]), np.array([x[0], x[1]]), np.float32(x[1]), np.ma.array(x)
        np.asarray(x).flags.writeable, np.array(x).flags.writeable
        np.asarray(x, dtype="float64"), np.asarray(x, copy=False)
        np.asarray(x, dtype="float64", copy=False)
        np.arange(jnp.int32(3)), np.zeros(jnp.array([2, 3])), n[i], n[x > 0], [1, 2, 3][i[1]]
        np.result_type(x, np.float64), np.dtype(x), np.shape(m), np.ndim(m), np.size(m), np.isscalar(x[0])
        np.random.default_rng(0).permutation(x)
        np.save(io.BytesIO(), x)
        np.testing.assert_array_equal(x, [0, 1, 2])
        """,
    ),
    "scipy": (
        {
            name: f"scipy.{name}"
            for name in ("fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "signal", "sparse")
            + ("spatial", "special", "stats")
        },
        """
        linalg.norm(x)
        linalg.cholesky(jnp.eye(2))
        special.erf(x)
        fft.fft(x)
        integrate.trapezoid(x)
        integrate.solve_ivp(lambda t, y: -jnp.asarray(y), (0, 1), jnp.ones(2)).y
        interpolate.interp1d(x, x)(x)
        ndimage.gaussian_filter(x, 1.0)
        optimize.minimize(lambda v: ((jnp.asarray(v) - 1) ** 2).sum(), x, jac=lambda v: 2 * (jnp.asarray(v) - 1)).x
        signal.convolve(x, x)
        sparse.csr_matrix(jnp.eye(2)) @ jnp.ones(2)
        spatial.distance.cdist(m, m)
        stats.describe(x).mean
        """,
    ),
    "matplotlib": (
        {"figure": "matplotlib.figure"},
        """
        axes.plot(x, x)[0].get_xydata()
        [line.get_xydata() for line in axes.plot(m)]
        axes.scatter(x, x, c=x, s=x).get_offsets()
        axes.imshow(m).get_array()
        axes.hist(x, bins=3)[0]
        [bar.get_height() for bar in axes.bar(i, x)]
        axes.contourf(m).levels
        axes.fill_between(x, x, x + 1).get_paths()[0].vertices
        axes.errorbar(x, x, yerr=x)[0].get_xydata()
        axes.pcolormesh(m).get_array()
        axes.set_xlim(x[0], x[2])
        axes.text(x[1], x[1], "a").get_position()
        axes.plot(x, x) and axes.figure.savefig(io.BytesIO(), format="svg")
        """,
    ),
    "pandas": (
        {"pd": "pandas"},
        """
        pd.Series(x).to_numpy()
        pd.Series(x, index=i).index.to_numpy()
        pd.DataFrame(m).to_numpy()
        pd.DataFrame({"a": x, "b": i}).dtypes.astype(str).tolist()
        pd.DataFrame({"a": [1, 2, 3]}).assign(c=x)["c"].to_numpy()
        (pd.Series([1.0, 2.0, 3.0]) + x).to_numpy()
        (x + pd.Series([1.0, 2.0, 3.0])).to_numpy()
        pd.Series([1.0, 2.0, 3.0]).iloc[i].to_numpy()
        pd.Series([1.0, 2.0, 3.0]).isin(x).to_numpy()
        pd.Series([1.0, 2.0, 3.0]).iloc[i[1]]
        pd.isna(x)
        pd.cut(x, 2).codes
        jnp.asarray(pd.Series([1, 2, 3])), jnp.asarray(pd.DataFrame({"a": [1.0, 2.0]}))
        jnp.sum(pd.Series([1.0, 2.0]))
        """,
    ),
    "torch": (
        {"torch": "torch"},
        """
        torch.from_dlpack(x), torch.from_dlpack(m).shape, torch.from_dlpack(jnp.float32(2)), torch.from_dlpack(m[:0])
        torch.from_dlpack(x).data_ptr() == x.unsafe_buffer_pointer()
        [torch.from_dlpack(x.astype(t)).dtype for t in ("bool", "uint8", "int16", "bfloat16", "complex64", "float8_e5m2")]
        torch.from_dlpack(x.astype("float8_e4m3fn")).float()
        torch.from_dlpack(x, copy=True), torch.from_dlpack(x, device="cpu")
        torch.utils.dlpack.from_dlpack(x.__dlpack__())
        torch.tensor(x), torch.as_tensor(m), torch.from_numpy(np.array(x))
        jnp.from_dlpack(torch.arange(64.0)), jnp.from_dlpack(torch.ones(2, 3).T), jnp.from_dlpack(torch.tensor(3.0))
        [jnp.from_dlpack(torch.ones(64, dtype=t)) for t in (torch.bfloat16, torch.bool, torch.float64, torch.int64)]
        [jnp.from_dlpack(torch.ones(64).to(t)).astype("float32") for t in (torch.float8_e4m3fn, torch.float8_e8m0fnu)]
        jnp.from_dlpack(torch.ones(2, requires_grad=True))
        jnp.from_dlpack(torch.utils.dlpack.to_dlpack(torch.ones(2)))
        jnp.asarray(torch.ones(2)), jnp.asarray(torch.arange(2))
        x + torch.ones(3)
        jnp.sin(torch.ones(3))
        """,
    ),
    "xarray": (
        {"xr": "xarray"},
        """
        xr.DataArray(m, dims=("a", "b")).data
        (xr.DataArray(m, dims=("a", "b")) + 1).data
        xr.DataArray(m, dims=("a", "b")).mean("a").data
        xr.DataArray(m, dims=("a", "b")).where(m > 1).data
        xr.DataArray(m, dims=("a", "b"), coords={"b": i}).sel(b=1).data
        xr.DataArray(m, dims=("a", "b")).isel(b=i[:2]).transpose().data
        xr.DataArray(m, dims=("a", "b")).to_numpy()
        xr.Dataset({"v": (("a", "b"), m)}).sum()["v"].data
        xr.concat([xr.DataArray(m, dims=("a", "b"))] * 2, "a").data
        xr.DataArray(m, dims=("a", "b")).clip(0, 1).astype("int32").data
        xr.DataArray(m, dims=("a", "b")).groupby(xr.DataArray(i, dims="b", name="g")).sum().data
        xr.apply_ufunc(jnp.sin, xr.DataArray(x)).data
        """,
    ),
}


def rows() -> Iterator[Any]:
    for library, (_, text) in EXPRESSIONS.items():
        for line in filter(None, map(str.strip, text.splitlines())):
            yield pytest.param(library, line, id=f"{library}-{line}")


def outcome(module: Any, text: str, modules: dict[str, Any]) -> Any:
    """The leaves of an expression's value, or the name of the error's class."""
    jnp = module.numpy
    space = {"jnp": jnp, "np": np, "io": io, **modules, "n": np.arange(3, dtype=np.float32)}
    space |= {"x": jnp.arange(3.0), "m": jnp.arange(6.0).reshape(2, 3), "i": jnp.arange(3)}
    if "figure" in modules:
        space["axes"] = modules["figure"].Figure().add_subplot()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy's about functions of its own, whatever the array
        try:
            return sable.tree_util.tree_leaves(eval(text, space))
        except Exception as error:
            return type(error).__name__


def assert_same(mine: Any, yours: Any) -> None:
    arrays = [isinstance(x, module.Array) for x, module in ((mine, sable), (yours, jax))]
    assert arrays[0] == arrays[1] and (arrays[0] or type(mine) is type(yours)), (type(mine), type(yours))
    if hasattr(mine, "shape") and hasattr(mine, "dtype"):
        assert mine.dtype == yours.dtype
        np.testing.assert_allclose(np.asarray(mine), np.asarray(yours), rtol=1e-6)
    else:
        assert mine == yours


@pytest.mark.parametrize(("library", "text"), list(rows()))
def test_expressions(library: str, text: str) -> None:
    pytest.importorskip(library)
    modules = {name: importlib.import_module(path) for name, path in EXPRESSIONS[library][0].items()}
    theirs, ours = outcome(jax, text, modules), outcome(sable, text, modules)
    if isinstance(theirs, str) or isinstance(ours, str):
        assert ours == theirs
        return
    for mine, yours in itertools.zip_longest(ours, theirs):
        assert_same(mine, yours)


AS_JAX = """
import os, sys
os.environ["SCIPY_ARRAY_API"] = "1"
import sable
sys.modules["jax"] = sable
import jax.numpy as jnp
from scipy import cluster, differentiate, special, stats
x = jnp.arange(1.0, 4.0)
found = [
    special.logsumexp(x), special.betainc(x, x, x / 4), stats.zscore(x), stats.pearsonr(x, x * x).statistic,
    differentiate.derivative(lambda v: v**2, x).df, cluster.vq.whiten(jnp.arange(6.0).reshape(2, 3)),
]
assert all(isinstance(y, sable.Array) for y in found)
"""


def test_scipy_computes_with_arrays_of_sable_called_jax() -> None:
    """SciPy's functions of the array API write into arrays by `x.at[...]` where they are called JAX's."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", AS_JAX], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
