"""Python functions called by programs: values, several results, effects, errors, re-entry, threads."""

from __future__ import annotations

import gc
import threading
import traceback
import weakref

import ml_dtypes
import numpy as np
import pytest

from sable.ir.aval import aval
from sable.runtime import Executable, ExecutionError, HostFunction

FLOAT32 = np.dtype(np.float32)
TWO = aval((2,), FLOAT32)
SCALAR = aval((), FLOAT32)
FLAG = aval((), np.dtype(np.bool_))
NOW = aval((), np.dtype(np.float64))
MIXED = (
    FLAG,
    aval((3,), np.dtype(ml_dtypes.bfloat16)),
    aval((2,), np.dtype(np.complex64)),
    aval((2,), np.dtype(np.uint32)),
)


def negate(arrays):
    return [-arrays[0]]


def functions(**changes):
    """Host functions for every import of the program, some of them replaced."""
    table = {
        "negate": HostFunction(negate, (TWO,), (TWO,)),
        "split": HostFunction(lambda arrays: (arrays[0].sum(), arrays[0].sum() > 0), (TWO,), (SCALAR, FLAG)),
        "note": HostFunction(lambda arrays: None, (TWO,)),
        "now": HostFunction(lambda arrays: [np.float64(42)], (), (NOW,)),
        "mixed": HostFunction(lambda arrays: arrays, MIXED, MIXED),
    }
    return {**table, **changes}


def executable(host_program, device, entry="negated", results=(TWO,), threaded=False, **changes):
    return Executable(
        host_program,
        device,
        results=results,
        entry=entry,
        host_functions=functions(**changes),
        threaded=threaded,
    )


def pair(a, b):
    return np.array([a, b], np.float32)


@pytest.mark.parametrize("threaded", [False, True], ids=["inline", "threaded"])
def test_one_result(host_program, cpu, threaded):
    [result] = executable(host_program, cpu, threaded=threaded).run(pair(1, 2))
    np.testing.assert_array_equal(result, pair(-1, -2))


def test_several_results(host_program, cpu):
    total, positive = executable(host_program, cpu, "split", (SCALAR, FLAG)).run(pair(1, 2))
    assert total.shape == () and total == 3
    assert positive.dtype == np.bool_ and positive


def test_effects(host_program, cpu):
    seen = []
    note = HostFunction(lambda arrays: seen.append(arrays[0].copy()), (TWO,))
    run = executable(host_program, cpu, "noted", note=note)
    np.testing.assert_array_equal(run.run(pair(1, 2))[0], pair(2, 4))
    np.testing.assert_array_equal(seen, [pair(1, 2)])


def test_no_arguments(host_program, cpu):
    [result] = executable(host_program, cpu, "now", (NOW,)).run()
    assert result == 42


def test_dtypes_and_read_only_arguments(host_program, cpu):
    values = [
        np.array(True),
        np.arange(3).astype(ml_dtypes.bfloat16),
        np.array([1 + 2j, 3], np.complex64),
        np.array([1, 2**32 - 1], np.uint32),
    ]

    def check(arrays):
        assert [a.dtype for a in arrays] == [v.dtype for v in values]
        assert not any(a.flags.writeable for a in arrays)
        return arrays

    run = executable(host_program, cpu, "mixed", MIXED, mixed=HostFunction(check, MIXED, MIXED))
    for result, value in zip(run.run(*values), values):
        assert result.dtype == value.dtype
        np.testing.assert_array_equal(result, value)


def test_arguments_outlive_the_call(host_program, cpu):
    kept = []
    note = HostFunction(lambda arrays: kept.extend(arrays), (TWO,))
    run = executable(host_program, cpu, "noted", note=note)
    for i in range(20):
        run.run(pair(i, i))
    del run
    gc.collect()
    np.testing.assert_array_equal(kept, [pair(i, i) for i in range(20)])


def test_results_are_copied(host_program, cpu):
    mine = np.ones(2, np.float32)
    now = np.array(1.0)
    run = executable(host_program, cpu, "now", (NOW,), now=HostFunction(lambda arrays: [now], (), (NOW,)))
    [result] = run.run()
    now[...] = mine[...] = 7
    assert result == 1


@pytest.mark.parametrize(
    "returned, error, message",
    [
        (pair(1, 2), TypeError, r"must return a sequence of 1 array\(s\) \(float32\[2\]\), got ndarray"),
        (None, TypeError, "'negate' must return a sequence of 1 .*got NoneType"),
        ([], TypeError, r"must return 1 array\(s\) \(float32\[2\]\), got 0"),
        ([pair(1, 2), pair(1, 2)], TypeError, "got 2"),
        ([np.ones(2)], TypeError, r"'negate': result 0 must be float32\[2\], got float64\[2\]"),
        ([np.ones(3, np.float32)], ValueError, r"'negate': result 0 must be float32\[2\], got float32\[3\]"),
        ([["a", "b"]], TypeError, r"must be float32\[2\], got <U1\[2\]"),
    ],
)
def test_wrong_results(host_program, cpu, returned, error, message):
    run = executable(host_program, cpu, negate=HostFunction(lambda arrays: returned, (TWO,), (TWO,)))
    with pytest.raises(error, match=message):
        run.run(pair(1, 2))


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(3), Interrupted("stop")])
@pytest.mark.parametrize("threaded", [False, True], ids=["inline", "threaded"])
def test_exceptions_arrive_as_they_were_raised(host_program, cpu, error, threaded):
    armed = True

    def raises_here(arrays):
        if armed:
            raise error
        return negate(arrays)

    run = executable(host_program, cpu, negate=HostFunction(raises_here, (TWO,), (TWO,)), threaded=threaded)
    for _ in range(3):
        with pytest.raises(type(error)) as caught:
            run.run(pair(1, 2))
        assert caught.value is error
        assert "raises_here" in [frame.name for frame in traceback.extract_tb(caught.tb)]
        error.__traceback__ = None
    armed = False
    np.testing.assert_array_equal(run.run(pair(1, 2))[0], pair(-1, -2))


def test_an_exception_is_not_kept(host_program, cpu):
    class Marker:
        pass

    markers = []

    def fails(arrays):
        marker = Marker()
        markers.append(weakref.ref(marker))
        raise ValueError("bad", marker)

    run = executable(host_program, cpu, negate=HostFunction(fails, (TWO,), (TWO,)))
    with pytest.raises(ValueError):
        run.run(pair(1, 2))
    gc.collect()
    assert markers[0]() is None


def test_a_function_may_run_programs_its_own_too(host_program, cpu):
    depth = 0

    def recurse(arrays):
        nonlocal depth
        depth += 1
        if depth < 5:
            return run.run(arrays[0])
        return negate(arrays)

    run = executable(host_program, cpu, negate=HostFunction(recurse, (TWO,), (TWO,)))
    # negated(a) = f(2 a) + a with f = negated four times more, then negation: every level adds 2^k a.
    np.testing.assert_array_equal(run.run(pair(1, 2))[0], (31 - 32) * pair(1, 2))
    assert depth == 5


def test_an_inner_failure_that_is_caught_stays_inside(host_program, cpu):
    def fails(arrays):
        raise ValueError("inner")

    inner = executable(host_program, cpu, negate=HostFunction(fails, (TWO,), (TWO,)))

    def catches(arrays):
        with pytest.raises(ValueError, match="inner"):
            inner.run(arrays[0])
        return negate(arrays)

    run = executable(host_program, cpu, negate=HostFunction(catches, (TWO,), (TWO,)))
    np.testing.assert_array_equal(run.run(pair(1, 2))[0], pair(-1, -2))


@pytest.mark.parametrize("threaded", [False, True], ids=["inline", "threaded"])
def test_every_thread_gets_its_own_calls_and_errors(host_program, cpu, threaded):
    wrong = []

    def check(arrays):
        if arrays[0][0] != 2 * threading.current_thread().number:
            wrong.append("a call on another thread")
        if arrays[0][1] < 0:
            raise ValueError(threading.current_thread().number)
        return negate(arrays)

    run = executable(host_program, cpu, negate=HostFunction(check, (TWO,), (TWO,)), threaded=threaded)

    def work():
        number = threading.current_thread().number
        for step in range(100):
            if step % 3:
                np.testing.assert_array_equal(run.run(pair(number, step))[0], pair(-number, -step))
                continue
            try:
                run.run(pair(number, -1))
            except ValueError as error:
                if error.args != (number,):
                    wrong.append("an error of another thread")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for number, thread in enumerate(threads):
        thread.number = number
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_missing_and_mismatched_functions(host_program, cpu):
    with pytest.raises(ExecutionError, match=r"host functions given: none.*module 'host' not registered"):
        Executable(host_program, cpu, results=[TWO], entry="negated")
    some = functions()
    del some["note"]
    with pytest.raises(ExecutionError, match=r"given: host\.negate.*note"):
        Executable(host_program, cpu, results=[TWO], entry="negated", host_functions=some)
    with pytest.raises(ExecutionError, match="signature mismatch"):
        executable(host_program, cpu, negate=HostFunction(negate, (TWO, TWO), (TWO,)))


def test_a_function_that_refers_to_its_executable_is_collected(host_program, cpu):
    class Owner:
        def refers(self, arrays):
            assert self.executable is not None
            return negate(arrays)

    owner = Owner()
    owner.executable = executable(host_program, cpu, negate=HostFunction(owner.refers, (TWO,), (TWO,)))
    owner.executable.run(pair(1, 2))
    dropped = weakref.ref(owner.executable)
    del owner
    gc.collect()
    assert dropped() is None
