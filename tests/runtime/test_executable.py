"""Calls of compiled programs: values, errors, threads, lifetimes."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from sable.ir.aval import ELEMENT_TYPES, NARROW_TYPES, aval
from sable.runtime import Executable, ExecutionError, get, put

FLOAT32 = np.dtype(np.float32)
TEN = aval((10,), FLOAT32)
SQUARE = aval((64, 64), FLOAT32)
THREADS = 8


class Arguments(list):
    """A list that can be referred to weakly."""


def ones(*shape):
    return np.ones(shape, np.float32)


@pytest.fixture(params=[False, True], ids=["inline", "threaded"])
def threaded(request):
    return request.param


def test_one_argument_one_result(cpu, programs, threaded):
    executable = Executable(programs, cpu, results=[TEN], entry="add_one", threaded=threaded)
    [result] = executable([put(cpu, np.arange(10, dtype=np.float32))])
    np.testing.assert_array_equal(get(cpu, result, (10,), FLOAT32), np.arange(1, 11))


def test_several_results(cpu, programs, threaded):
    executable = Executable(programs, cpu, results=[TEN, TEN], entry="sum_and_product", threaded=threaded)
    total, product = executable.run(2 * ones(10), 3 * ones(10))
    assert (total == 5).all() and (product == 6).all()


def test_no_arguments_and_no_results(cpu, programs):
    constant = aval((4,), FLOAT32)
    [result] = Executable(programs, cpu, results=[constant], entry="constant").run()
    np.testing.assert_array_equal(result, [1, 2, 3, 4])
    assert Executable(programs, cpu, results=[], entry="nothing").run(ones(10)) == []


def test_scalars_and_empty_arrays(cpu, programs, threaded):
    integer = aval((), np.dtype(np.int32))
    [result] = Executable(programs, cpu, results=[integer], entry="scalar", threaded=threaded).run(np.int32(21))
    assert result.shape == () and result.dtype == np.int32 and result == 42
    empty = aval((0, 3), FLOAT32)
    [result] = Executable(programs, cpu, results=[empty], entry="empty", threaded=threaded).run(ones(0, 3))
    assert result.shape == (0, 3)


@pytest.mark.parametrize("dtype", sorted({*ELEMENT_TYPES} - {*NARROW_TYPES}, key=str), ids=str)
def test_every_dtype_passes_through_programs(cpu, programs, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    executable = Executable(programs, cpu, results=[aval((2, 3), dtype)], entry=f"echo_{dtype.name}")
    [result] = executable.run(array)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, array)


def test_buffers_pass_between_the_inline_and_the_threaded_driver(cpu, programs):
    inline = Executable(programs, cpu, results=[TEN], entry="add_one")
    threads = Executable(programs, cpu, results=[TEN], entry="add_one", threaded=True)
    buffers = [put(cpu, ones(10))]
    for executable in (inline, threads, threads, inline):
        buffers = executable(buffers)
    np.testing.assert_array_equal(get(cpu, buffers[0], (10,), FLOAT32), 5 * ones(10))


def test_arguments_are_unchanged(cpu, programs):
    buffer = put(cpu, ones(10))
    Executable(programs, cpu, results=[TEN], entry="add_one")([buffer])
    assert (get(cpu, buffer, (10,), FLOAT32) == 1).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "'add_one' failed: .*expected 1 arguments but passed 0"),
        ([ones(10), ones(10)], "'add_one' failed: .*expected 1 arguments but passed 2"),
        ([ones(11)], "'add_one' failed: .*expected 10 but have 11"),
        ([np.ones(10, np.int32)], "'add_one' failed: .*expected f32 .*but have si32"),
    ],
)
def test_wrong_arguments_are_errors_and_the_executable_stays_usable(cpu, programs, arguments, message):
    executable = Executable(programs, cpu, results=[TEN], entry="add_one")
    for _ in range(3):
        with pytest.raises(ExecutionError, match=message) as caught:
            executable.run(*arguments)
        assert caught.value.__cause__ is not None
        assert "\n" not in caught.value.args[0]
    assert (executable.run(ones(10))[0] == 2).all()


def test_a_failed_call_leaves_no_cycle(cpu, programs):
    executable = Executable(programs, cpu, results=[TEN], entry="add_one")
    arguments = Arguments([put(cpu, ones(11))])
    dropped = weakref.ref(arguments)
    gc.disable()
    try:
        with pytest.raises(ExecutionError) as caught:
            executable(arguments)
        del arguments, caught
        assert dropped() is None
    finally:
        gc.enable()


def test_an_argument_that_is_no_buffer(cpu, programs):
    executable = Executable(programs, cpu, results=[TEN], entry="add_one")
    with pytest.raises(AttributeError):
        executable([ones(10)])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"entry": "absent"}, "no function 'absent'; it has add_one, sum_and_product"),
        ({"vmfb": b"no module at all, only text"}, "cannot load a program for 'add_one' on CpuDevice"),
        ({"vmfb": b""}, "cannot load"),
    ],
)
def test_what_does_not_load(cpu, programs, change, message):
    arguments = {"vmfb": programs, "device": cpu, "results": [TEN], "entry": "add_one", **change}
    with pytest.raises(ExecutionError, match=message):
        Executable(**arguments)


def test_parameters(cpu, parameter_program):
    weights = {"model": {"W": np.array([1, 2, 3, 4], np.float32)}}
    four = aval((4,), FLOAT32)
    executable = Executable(parameter_program, cpu, results=[four], parameters=weights)
    del weights
    gc.collect()
    np.testing.assert_array_equal(executable.run(ones(4))[0], [2, 3, 4, 5])
    with pytest.raises(ExecutionError, match="cannot load"):
        Executable(parameter_program, cpu, results=[four])


def run_threads(work):
    """Runs `work(thread number)` on THREADS threads at once; raises what any of them raised."""
    failures = []
    start = threading.Barrier(THREADS)

    def run(number):
        try:
            start.wait()
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_many_threads_call_one_executable(cpu, programs, threaded):
    both = Executable(programs, cpu, results=[TEN, TEN], entry="sum_and_product", threaded=threaded)
    square = Executable(programs, cpu, results=[SQUARE], entry="square", threaded=threaded)
    matrix = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    expected = matrix @ matrix

    def work(number):
        value = np.float32(number + 1)
        for step in range(200):
            total, product = both.run(np.full(10, value), np.full(10, step, np.float32))
            assert (total == value + step).all() and (product == value * step).all()
            if step % 20 == 0:
                np.testing.assert_allclose(square.run(matrix * value)[0], expected * value * value, rtol=1e-5)

    run_threads(work)
    assert 1 <= len(both._program.idle) <= THREADS


def test_errors_stay_with_their_thread(cpu, programs):
    executable = Executable(programs, cpu, results=[TEN], entry="add_one")

    def work(number):
        for _ in range(50):
            if number % 2:
                with pytest.raises(ExecutionError, match="expected 10 but have 11"):
                    executable.run(ones(11))
            else:
                assert (executable.run(number * ones(10))[0] == number + 1).all()

    run_threads(work)


def test_programs_run_without_the_gil(cpu, programs):
    count = 4_000_000  # 10 ms of work or so
    executable = Executable(programs, cpu, results=[aval((count,), FLOAT32)], entry="twice")
    buffers = [put(cpu, ones(count))]
    ticks = 0
    running = True

    def tick():
        nonlocal ticks
        while running:
            ticks += 1
            time.sleep(0)

    thread = threading.Thread(target=tick)
    thread.start()
    before = ticks
    for _ in range(5):
        executable(buffers)
    during = ticks - before
    running = False
    thread.join()
    assert during > 0


def test_results_outlive_their_executable(cpu, programs):
    constant = aval((4,), FLOAT32)
    executable = Executable(programs, cpu, results=[constant], entry="constant")
    dropped = weakref.ref(executable)
    [result] = executable([])
    del executable
    gc.collect()
    assert dropped() is None
    for _ in range(100):
        put(cpu, ones(4))
    np.testing.assert_array_equal(get(cpu, result, (4,), FLOAT32), [1, 2, 3, 4])


def test_repr_and_declaration(cpu, programs):
    executable = Executable(programs, cpu, results=[TEN], entry="add_one", threaded=True)
    assert repr(executable) == "<Executable add_one on CpuDevice(id=0), threaded>"
    assert "tensor<10xf32>" in executable.declaration


def test_a_process_ends_cleanly_with_everything_alive(programs, tmp_path):
    """Devices that die before their buffers are a segmentation fault at exit."""
    file = tmp_path / "programs.vmfb"
    file.write_bytes(programs)
    code = f"""
import sys
import numpy as np
from sable.ir.aval import aval
from sable.runtime import Executable, aligned_empty, devices, get, put
cpu = devices()[0]
float32 = np.dtype(np.float32)
program = open({str(file)!r}, "rb").read()
many = aval((65536,), float32)
shared = put(cpu, aligned_empty((65536,), float32))
executables = [
    Executable(program, cpu, results=[many], entry=entry, threaded=threaded)
    for entry in ("identity", "twice") for threaded in (False, True)
]
results = [executable([shared])[0] for executable in executables]
views = [get(cpu, result, (65536,), float32) for result in results]
sys.kept = (views[0], results[1])
"""
    subprocess.run([sys.executable, "-c", code], check=True)
