"""Python without the GIL is refused at import."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sysconfig
real = sysconfig.get_config_var
sysconfig.get_config_var = lambda name: {value} if name == "Py_GIL_DISABLED" else real(name)
import sable
"""


def run(value: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM.format(value=value)], capture_output=True, text=True)


def test_free_threaded_python_is_refused():
    refused = run(1)
    assert refused.returncode != 0
    assert "ImportError: Sable does not run on free-threaded Python" in refused.stderr


def test_python_with_the_gil_is_not():
    for value in (0, None):
        assert run(value).returncode == 0
