"""The self-test of devices that are not the CPU: small programs whose results are known, before the first use.

With a wrong compile target (IREE's default one on lavapipe, an override that does not fit the device) f16, i8 and bool
come out wrong without a word. That a device has passed is noted on disk, by device, driver, target and compiler.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sable import compiler, runtime
from sable.compiler import CacheSettings, CompilationError
from sable.compiler.ladder import iree_version
from sable.ir.aval import aval_of

from .preparation import target_of

#: Every device must be right about these.
_BASIC = """
func.func public @main(%x: tensor<37xf32>, %i: tensor<37xi32>, %p: tensor<37xi1>, %q: tensor<37xi1>)
    -> (tensor<37xf32>, tensor<37xi32>, tensor<37xi1>, tensor<f32>) {
  %square = stablehlo.multiply %x, %x : tensor<37xf32>
  %chosen = stablehlo.select %p, %square, %x : tensor<37xi1>, tensor<37xf32>
  %twice = stablehlo.add %i, %i : tensor<37xi32>
  %not = stablehlo.not %q : tensor<37xi1>
  %and = stablehlo.and %p, %not : tensor<37xi1>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%x init: %zero) applies stablehlo.add across dimensions = [0]
    : (tensor<37xf32>, tensor<f32>) -> tensor<f32>
  return %chosen, %twice, %and, %sum : tensor<37xf32>, tensor<37xi32>, tensor<37xi1>, tensor<f32>
}
"""

#: Devices that have these dtypes at all must be right about them.
_NARROW = """
func.func public @main(%h: tensor<37xf16>, %b: tensor<37xi8>) -> (tensor<37xf16>, tensor<37xi8>) {
  %product = stablehlo.multiply %h, %h : tensor<37xf16>
  %sum = stablehlo.add %product, %h : tensor<37xf16>
  %less = stablehlo.subtract %b, %b : tensor<37xi8>
  %negated = stablehlo.subtract %less, %b : tensor<37xi8>
  return %sum, %negated : tensor<37xf16>, tensor<37xi8>
}
"""

_FOLDER = "devices"


def check_device(device: Any) -> None:
    """Compare what a device computes with what it should.

    Raises:
      RuntimeError: it computes wrongly; names the dtypes.
      CompilationError: not even f32, i32 and bool can be compiled for it.
    """
    note = _note(device)
    if note is not None and note.exists():
        return
    numbers = np.arange(37)
    flags, others = numbers % 2 == 0, numbers % 3 == 0
    x, i = (numbers - 18).astype(np.float32), (numbers - 18).astype(np.int32)
    wrong = _differences(
        device, _BASIC, [x, i, flags, others], [np.where(flags, x * x, x), i + i, flags & ~others, x.sum()]
    )
    h, b = (numbers / 8).astype(np.float16), (numbers - 18).astype(np.int8)
    wrong += _differences(device, _NARROW, [h, b], [h * h + h, -b], optional=True)
    if wrong:
        raise RuntimeError(
            f"{device!r} ({device.device_kind}) computes wrongly with {', '.join(wrong)} as compiled for the target "
            f"{device.compile_target!r}: the target does not fit, or the driver is broken. Name another target by "
            "SABLE_VULKAN_TARGET, or update the driver."
        )
    if note is not None:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()


def _differences(device: Any, text: str, arguments: list, expected: list, optional: bool = False) -> list[str]:
    """Names of the dtypes of results that are wrong; none if the program is optional and cannot be compiled."""
    wanted = [np.asarray(y) for y in expected]
    compiled = _compiled(lambda: compiler.compile_module(text.encode(), target_of(device)), optional)
    if compiled is None:
        return []
    executable = runtime.Executable(compiled.vmfb, device, results=[aval_of(y) for y in wanted])
    results = executable.run(*arguments)
    return [y.dtype.name for y, r in zip(wanted, results) if not np.allclose(y, r, rtol=1e-3, atol=1e-3)]


def _compiled(compile: Callable[[], compiler.Compiled], optional: bool) -> compiler.Compiled | None:
    try:
        return compile()
    except CompilationError:
        if optional:  # a program that uses the dtype will be refused likewise, with the user's line
            return None
        raise


def _note(device: Any) -> Path | None:
    """The file whose presence says that the device has passed; None without a disk cache."""
    directory = CacheSettings.from_environment().directory
    if directory is None:
        return None
    parts = (device.description(), device.compile_target, iree_version(), _BASIC, _NARROW)
    return directory / _FOLDER / hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
