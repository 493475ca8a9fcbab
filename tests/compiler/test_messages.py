"""What is read out of the compiler's console output."""

from __future__ import annotations

from pathlib import Path

import sable
from sable.compiler import messages

TEXT = """\
<unknown>:0: error: failed to legalize operation 'math.cbrt' that was explicitly marked illegal
<unknown>:0: note: see current operation: %3 = "math.cbrt"(%2) : (f64) -> f64
/lib/helper.py:3:1: warning: this is none
/home/user/my prog.py:12:7: error: 'func.func' op failed
    y = f(x)
        ^
/home/user/main.py:40:1: note: called from
"""


def test_location_is_the_first_that_an_error_names():
    assert messages.location(TEXT) == ("/home/user/my prog.py", 12)


def test_location_skips_frames_of_sable_and_of_the_module():
    library = Path(sable.__file__).parent / "numpy" / "x.py"
    text = f"{library}:1:1: error: bad\n<module>:2:1: note: called from\n/u.py:7:1: note: called from\n"
    assert messages.location(text) == ("/u.py", 7)
    assert messages.location("<module>:3:1: error: bad\n") is None


def test_op_is_the_first_named():
    assert messages.op(TEXT) == "math.cbrt"
    assert messages.op("x:1:1: error: 'stablehlo.add' op requires the same shape") == "stablehlo.add"
    note = 'x:1:1: note: see current operation: %4:2 = "stablehlo.sort"(%1) ({'
    assert messages.op(note) == "stablehlo.sort"
    assert messages.op("x:1:1: error: use of undeclared SSA value name") is None


def test_summary():
    long = TEXT.splitlines()[0] + ': %0 = "stablehlo.constant"() {value = dense<"0x00">}'
    expected = "failed to legalize operation 'math.cbrt' that was explicitly marked illegal"
    assert messages.summary(long, "error", "compile", 0) == expected
    assert messages.summary("", "crash", "", -11) == "the compiler died of SIGSEGV"
    assert "out of memory" in messages.summary("", "crash", "", -9)
    fatal = messages.summary("noise\nLLVM ERROR: out of registers\n", "crash", "", 1)
    assert fatal == "the compiler ended with exit code 1: LLVM ERROR: out of registers"
    traceback = "Traceback\n  File x\nKeyError: 'a'\n"
    assert messages.summary(traceback, "error", "internal", 0) == "KeyError: 'a'"
    assert "without saying why" in messages.summary("", "error", "compile", 0)
