"""Deployed modules: NumPy in and out, signatures read from the module."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from sable.runtime import ExecutionError, TensorType, load
from sable.runtime.signature import parse_declaration


@pytest.fixture(scope="module")
def path(programs, tmp_path_factory):
    file = tmp_path_factory.mktemp("deployed") / "programs.vmfb"
    file.write_bytes(programs)
    return file


def test_call(path):
    function = load(path, entry="sum_and_product")
    assert repr(function) == ("<programs.vmfb:sum_and_product(float32[10], float32[10]) -> (float32[10], float32[10])>")
    total, product = function(np.full(10, 2, np.float32), [3.0] * 10)
    assert (total == 5).all() and (product == 6).all()


def test_one_and_no_results(path):
    assert load(path, entry="scalar")(21) == 42
    assert load(path, entry="nothing")(np.zeros(10, np.float32)) is None
    assert load(str(path), entry="constant").executable.run is not None


def test_dynamic_shapes(path):
    function = load(path, entry="twice")
    assert function.signature.arguments == (TensorType((None,), np.dtype(np.float32)),)
    for count in (1, 7, 100):
        np.testing.assert_array_equal(function(np.ones(count, np.float32)), 2 * np.ones(count))


@pytest.mark.parametrize("name", ["bool", "uint8", "bfloat16", "complex128", "float16"])
def test_dtypes(path, name):
    function = load(path, entry=f"echo_{name}")
    [type_] = function.signature.arguments
    assert type_.dtype.name == name
    array = np.arange(6).reshape(2, 3).astype(type_.dtype)
    result = function(array)
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, array)


def test_wrong_arguments(path):
    function = load(path, entry="add_one")
    with pytest.raises(TypeError, match=r"takes 1 argument\(s\), got 0"):
        function()
    with pytest.raises(TypeError, match=r"argument 0 must be float32\[10\], got float64\[10\]"):
        function(np.zeros(10))
    with pytest.raises(ValueError, match=r"argument 0 must be float32\[10\], got float32\[11\]"):
        function(np.zeros(11, np.float32))
    with pytest.raises(ValueError, match=r"argument 0 must be float32\[10\], got float32\[\]"):
        function(1.0)


def test_parameters(parameter_program, tmp_path):
    file = tmp_path / "p.vmfb"
    file.write_bytes(parameter_program)
    function = load(file, parameters={"model": {"W": np.arange(4, dtype=np.float32)}})
    np.testing.assert_array_equal(function(np.ones(4, np.float32)), [1, 2, 3, 4])


def test_bad_files(path, tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.vmfb")
    torn = tmp_path / "torn.vmfb"
    torn.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ExecutionError, match="cannot load"):
        load(torn)
    with pytest.raises(ExecutionError, match="no function 'main'"):
        load(path)


def test_a_replaced_file_changes_nothing(programs, tmp_path):
    file = tmp_path / "p.vmfb"
    file.write_bytes(programs)
    function = load(file, entry="constant")
    file.write_bytes(b"")
    np.testing.assert_array_equal(function(), [1, 2, 3, 4])


def test_parse_declaration():
    signature = parse_declaration(
        "sync func @f(%input0: tensor<5xi32> {iree.abi.encoding = tensor<5xui32>}, "
        "%input1: tensor<2x?xcomplex<f64>>, %input2: tensor<i1>) -> (%output0: tensor<0x3xbf16>)"
    )
    assert [t.short() for t in signature.arguments] == ["uint32[5]", "complex128[2,?]", "bool[]"]
    assert [t.short() for t in signature.results] == ["bfloat16[0,3]"]
    assert parse_declaration("sync func @g() -> ()").results == ()
    assert parse_declaration("sync func @g(%input0: tensor<f32>)").results == ()
    with pytest.raises(ExecutionError, match="other values than tensors"):
        parse_declaration("sync func @h(%input0: !hal.fence) -> ()")
    with pytest.raises(ExecutionError, match="elements of type i4"):
        parse_declaration("sync func @h(%input0: tensor<3xi4>) -> ()")


def test_a_deployed_module_runs_in_a_process_without_the_compiler(path):
    code = f"""
import sys
sys.modules["iree.compiler"] = None
import numpy as np
from sable.runtime import load
assert (load({str(path)!r}, entry="add_one")(np.ones(10, np.float32)) == 2).all()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
