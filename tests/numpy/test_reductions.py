"""Reductions, running sums, sorting and searching against JAX."""

from __future__ import annotations

import pytest

from .expressions import compare, table, together

NAMES = [
    "sum",
    "prod",
    "max",
    "min",
    "mean",
    "var",
    "std",
    "all",
    "any",
    "argmax",
    "argmin",
    "ptp",
    "count_nonzero",
    "nansum",
    "nanprod",
    "nanmax",
    "nanmin",
    "nanmean",
    "nanvar",
    "nanstd",
    "nanargmax",
    "median",
]


@pytest.mark.parametrize("name", NAMES)
def test_axes_and_dtypes(name: str) -> None:
    arguments = ["f", "f, 0", "f, axis=-1, keepdims=True", "i", "b, 1", "u8", "w", "wv", "e, 1", "e", "t, 5", "[1, 2]"]
    if not name.startswith(("arg", "nanarg")):
        arguments += ["t, axis=(0, -1)", "t, axis=(0, 0)"]
    arguments += ["h, 1", "n"]
    texts = [f"jnp.{name}({a})" for a in arguments]
    together(texts)
    for text in texts:
        rtol, atol = (4e-3, 2e-3) if "(h" in text else (4e-6, 2e-6)
        compare(text, rtol=rtol, atol=atol)


@table(
    """
    jnp.sum(f, dtype=int)
    jnp.sum(i8)
    jnp.sum(i8, promote_integers=False)
    jnp.sum(i, dtype=float)
    jnp.sum(wv, dtype=jnp.float16)
    jnp.sum(b, dtype=bool)
    jnp.sum(c, 0)
    jnp.sum(3)
    jnp.sum(True)
    jnp.sum(f, where=b)
    jnp.sum(f, initial=10)
    jnp.sum(f, where=b, initial=1.5)
    jnp.sum(f, where=jnp.array([True, False, True]), axis=0)
    jnp.sum(i, initial=1.5)
    jnp.sum(i, axis=1.0)
    jnp.sum(i, axis=-3)
    jnp.sum(None)
    jnp.sum("a")
    jnp.sum(i, out=1)
    jnp.sum(i, axis=())
    jnp.prod(f, 1, where=b)
    jnp.prod(c)
    jnp.max(f, where=b)
    jnp.max(f, where=b, initial=0)
    jnp.max(i, initial=10.5)
    jnp.max(e, axis=0, initial=-1)
    jnp.max(c)
    jnp.min(c, 0)
    jnp.amax(i)
    jnp.amin(f, 1)
    jnp.mean(i, where=b)
    jnp.mean(i, dtype=int)
    jnp.mean(i, dtype=jnp.float16)
    jnp.mean(c, 1)
    jnp.mean(bf, 0)
    jnp.var(f, ddof=1)
    jnp.var(c)
    jnp.var(f, where=b)
    jnp.var(f, dtype=jnp.float16)
    jnp.var(f, ddof=6)
    jnp.var(f, mean=2.0)
    jnp.var(f, correction=1)
    jnp.var(f, correction=1, ddof=1)
    jnp.std(f, 1, ddof=1)
    jnp.average(f, weights=jnp.array([1, 2]), axis=0)
    jnp.average(f, weights=p, returned=True)
    jnp.average(f, axis=0, returned=True)
    jnp.average(f, weights=jnp.array([1, 2]))
    jnp.average(f, weights=jnp.array([1, 2, 3]), axis=0)
    jnp.any(f, where=b)
    jnp.all(f, where=b, axis=0)
    jnp.argmax(f, axis=0, keepdims=True)
    jnp.argmax(i, keepdims=True)
    jnp.argmax(i, axis=(0,))
    jnp.argmax(c)
    jnp.nansum(n[:3], where=jnp.array([True, True, False]))
    jnp.nanmax(jnp.array([jnp.nan]))
    jnp.nanargmax(jnp.array([jnp.nan]))
    jnp.nancumsum(n[:3])
    jnp.nancumprod(n[:3])
    jnp.nanmedian(n[:3])
    jnp.nanquantile(n[:3], 0.5)
    jnp.nanpercentile(n[:3], 20.0)
    jnp.quantile(f, 0.25)
    jnp.quantile(f, jnp.array([0.25, 0.5]), axis=1)
    jnp.quantile(i, 0.3)
    jnp.quantile(f, 0.3, method="lower")
    jnp.quantile(f, 0.3, method="higher")
    jnp.quantile(f, 0.3, method="nearest")
    jnp.quantile(f, 0.3, method="midpoint")
    jnp.quantile(f, 0.3, method="other")
    jnp.quantile(f, 0.5, keepdims=True)
    jnp.quantile(t, 0.5, axis=(0, 2))
    jnp.quantile(n, 0.5)
    jnp.percentile(f, 25)
    jnp.cumsum(i)
    jnp.cumsum(i, 1)
    jnp.cumsum(b)
    jnp.cumsum(i8, 0)
    jnp.cumsum(w)
    jnp.cumsum(wv)
    jnp.cumsum(i, dtype=float)
    jnp.cumsum(e, 0)
    jnp.cumprod(f, 0)
    jnp.cumprod(b)
    jnp.cumulative_sum(i, axis=0)
    jnp.cumulative_sum(v, include_initial=True)
    jnp.cumulative_sum(i8, axis=1)
    jnp.cumulative_sum(i)
    jnp.cumulative_prod(v, include_initial=True)
    jnp.diff(i)
    jnp.diff(f, n=2)
    jnp.diff(f, n=5)
    jnp.diff(b)
    jnp.diff(i, axis=0, prepend=0)
    jnp.diff(f, append=f)
    jnp.diff(f, n=-1)
    jnp.diff(s)
    jnp.ediff1d(i, to_begin=0)
    jnp.trapezoid(f)
    jnp.trapezoid(f, dx=2)
    jnp.trapezoid(f, v[:3])
    jnp.gradient(v)
    jnp.gradient(f, 2.0)
    jnp.gradient(t, axis=1)
    jnp.sort(-i)
    jnp.sort(n)
    jnp.sort(f, axis=0)
    jnp.sort(f, axis=None)
    jnp.sort(wv)
    jnp.sort(w)
    jnp.sort(c)
    jnp.sort(b)
    jnp.sort(bf)
    jnp.sort(f, descending=True)
    jnp.sort(f, kind="quicksort")
    jnp.argsort(-f)
    jnp.argsort(n)
    jnp.argsort(n, descending=True)
    jnp.argsort(jnp.array([1, 1, 0, 1]), descending=True)
    jnp.argsort(f, axis=None)
    jnp.argsort(f, dtype=jnp.int8)
    jnp.sort_complex(n)
    jnp.lexsort((jnp.array([1, 0, 1]), jnp.array([2, 2, 1])))
    jnp.lexsort(f)
    jnp.lexsort(())
    jnp.searchsorted(jnp.array([1, 2, 3]), 2)
    jnp.searchsorted(jnp.array([1, 2, 3]), jnp.array([[0, 2.5, 9]]), side="right")
    jnp.searchsorted(jnp.array([1.0, 2.0, 2.0, 2.0, 7.0, jnp.nan]), jnp.array([2.0, jnp.nan, 8.0, -1.0]))
    jnp.searchsorted(jnp.array([1.0, 2.0, 2.0, 2.0, 7.0, jnp.nan]), jnp.array([2.0, jnp.nan, 8.0]), side="right")
    jnp.searchsorted(jnp.array([3, 1, 2]), 2, sorter=jnp.array([1, 2, 0]))
    jnp.searchsorted(jnp.arange(0), 2)
    jnp.searchsorted(f, 2)
    jnp.searchsorted(v, 2, side="middle")
    jnp.digitize(jnp.array([0.5, 1.5]), jnp.array([0, 1, 2]))
    jnp.digitize(jnp.array([0.5, 1.0, 9]), jnp.array([2, 1, 0]), right=True)
    f.sum(0)
    f.mean()
    f.max(axis=1, keepdims=True)
    f.std()
    f.argsort()
    b.all()
    i.ptp()
    f.cumsum(1)
    """
)
def test_cases(text: str) -> None:
    compare(text, rtol=4e-6, atol=2e-6)
