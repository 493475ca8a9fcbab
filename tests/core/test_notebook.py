"""What notebooks show of arrays: well-formed HTML with the properties, a histogram, and the text."""

from __future__ import annotations

import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

import sable
import sable.numpy as jnp

SVG = "{http://www.w3.org/2000/svg}"


def shown(x) -> tuple[dict[str, str], list[int], str]:
    """Properties, heights of the histogram's bars, and the text."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        root = ElementTree.fromstring(x._repr_html_())
    properties = {row[0].text: row[1].text for row in root.iter("tr")}
    heights = [int(bar.attrib["height"]) for bar in root.iter(f"{SVG}rect")]
    return properties, heights, root.find("pre").text


def test_properties_and_bars():
    x = jnp.asarray([0.0, 1.0, 1.0, 1.0, 1.0, jnp.nan, jnp.inf, -jnp.inf])
    properties, heights, text = shown(x)
    assert properties == {
        "shape": "(8,)",
        "dtype": "float32",
        "device": str(x.device),
        "size": "8 elements, 32 B",
        "values": "0 to 1, mean 0.8, 1 NaN, 2 infinite",
    }
    assert heights == [8, 32]
    assert text == repr(x)


@pytest.mark.parametrize(
    ("value", "values", "bars"),
    [
        (True, "1 to 1, mean 1", 1),
        (np.array([0, 2**32 - 1], np.uint32), "0 to 4.295e+09, mean 2.147e+09", 2),
        (np.array([3 + 4j, 0]), "0 to 5, mean 2.5", 2),
        (jnp.asarray([1, 2], jnp.bfloat16), "1 to 2, mean 1.5", 2),
        (jnp.asarray([1, -2], jnp.int4), "-2 to 1, mean -0.5", 2),
        (np.full((2, 2), np.nan, np.float32), "4 NaN", 0),
        (np.zeros((0, 3), np.float32), None, 0),
    ],
    ids=repr,
)
def test_kinds(value, values, bars):
    x = jnp.asarray(value)
    properties, heights, text = shown(x)
    assert properties.get("absolute values" if x.dtype.kind == "c" else "values") == values
    assert len(heights) == bars
    assert text == repr(x)


def test_extremes():
    with sable.enable_x64(True):
        properties, heights, _ = shown(jnp.asarray([-1.7e308, 1.7e308, 1.7e308, 5e-324]))
        assert properties["values"] == "-1.7e+308 to 1.7e+308, mean 4.25e+307"
        assert heights == [16, 16, 32]
        assert shown(jnp.asarray([0.0, 5e-324]))[1] == [32]


def test_large_arrays_are_sampled():
    x = jnp.arange(300_000).reshape(300, 1000).T
    properties, heights, _ = shown(x)
    assert properties["values"] == "0 to 3e+05, mean 1.5e+05, of a sample of 65,536"
    assert properties["size"] == "300,000 elements, 1.14 MiB"
    assert len(heights) == 24


def test_traced_and_deleted_arrays():
    sable.make_jaxpr(lambda x: (assert_plain(x), x)[1])(1.0)
    x = jnp.ones(2) + 1
    x.delete()
    with pytest.raises(RuntimeError, match="deleted"):
        x._repr_html_()


def assert_plain(x):
    assert not hasattr(x, "_repr_html_")
