"""Errors of the runtime."""

from __future__ import annotations

from sable._pages import with_page
from sable.errors import JaxRuntimeError


@with_page
class ExecutionError(JaxRuntimeError):
    """A compiled program could not be loaded, or failed while it ran.

    The message says which program and why; IREE's own error is the `__cause__`. A file that is no module, or one for
    another version or device, cannot be loaded; nor can a module without the function asked for, or one that calls host
    functions or native kernels which are not given. A loaded one fails where a device has no memory left.

    A program that raises it:

        import pathlib
        import tempfile

        import sable.runtime

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "plus.vmfb")
            path.write_text("lambda x: x + 1")
            sable.runtime.load(path)

    The program mended:

        import pathlib
        import tempfile

        import sable as jax
        import sable.runtime

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "plus.vmfb")
            jax.aot.save(lambda x: x + 1, (1.0,), path)
            plus = sable.runtime.load(path)
            plus(2.0)

    Other ways:

    - A module of another version of IREE, or of another device, is saved again.
    - Out of memory: smaller batches, or donated arguments (`jax.jit(f, donate_argnums=0)`).
    """
