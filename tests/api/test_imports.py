"""Whatever is imported first, in a process of its own: the order of imports decides nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAMS = {
    "lax": "from sable import lax; import numpy as np; assert float(lax.cond(True, lambda v: v * 3, lambda v: -v, 2.0)) == 6",
    "lax.sin": "import sable.lax as lax, numpy as np; assert float(lax.sin(np.float32(0)) + 1) == 1",
    "jit": "from sable import jit; assert float(jit(lambda x: x[0] * 2)([3.0])) == 6",
    "grad": "import sable; assert float(sable.grad(lambda x: x * x)(3.0)) == 6",
    "random": "import sable.random as r; assert r.normal(r.key(0), (2,)).mean().shape == ()",
    "nn": "import sable.nn as nn; assert float(nn.relu(-1.0) + 1) == 1",
    "aot": "from sable import aot; import sys; assert callable(aot.save)",
    "debug": "from sable import debug; debug.print('{}', 1)",
    "device_put": "from sable import device_put; assert float(device_put(1.0) + 1) == 2",
    "tree": "from sable import tree; assert tree.leaves({'a': 1}) == [1]",
    "runtime": "import sable.runtime, sys; assert 'iree.compiler' not in sys.modules",
    "all": "from sable import *; assert grad and numpy",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_alone(name):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAMS[name]], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
