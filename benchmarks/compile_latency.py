"""Latency of the compile server: `python benchmarks/compile_latency.py [FILE.mlir ...]`.

Prints seconds for x + 1 and a training step of a three-layer MLP (and the modules given): the first compile
of a process, the first after `prestart` and a pause, warm, and from the caches.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sable.compiler import (
    CacheSettings,
    CompileOptions,
    Target,
    compile_module,
    configure_cache,
    prestart,
    shutdown,
)

WARM_REPEATS = 7

ADD_ONE = b"""
func.func public @main(%x: tensor<10xf32>) -> tensor<10xf32> {
  %c = stablehlo.constant dense<1.0> : tensor<10xf32>
  %0 = stablehlo.add %x, %c : tensor<10xf32>
  return %0 : tensor<10xf32>
}"""

MLP = b"""
func.func public @main(%x: tensor<32x8xf32>, %w1: tensor<8x64xf32>, %w2: tensor<64x64xf32>, %w3: tensor<64x1xf32>,
                       %y: tensor<32x1xf32>) -> (tensor<8x64xf32>, tensor<64x64xf32>, tensor<64x1xf32>) {
  %a = stablehlo.dot_general %x, %w1, contracting_dims = [1] x [0] : (tensor<32x8xf32>, tensor<8x64xf32>) -> tensor<32x64xf32>
  %h = stablehlo.tanh %a : tensor<32x64xf32>
  %b = stablehlo.dot_general %h, %w2, contracting_dims = [1] x [0] : (tensor<32x64xf32>, tensor<64x64xf32>) -> tensor<32x64xf32>
  %g = stablehlo.tanh %b : tensor<32x64xf32>
  %o = stablehlo.dot_general %g, %w3, contracting_dims = [1] x [0] : (tensor<32x64xf32>, tensor<64x1xf32>) -> tensor<32x1xf32>
  %e = stablehlo.subtract %o, %y : tensor<32x1xf32>
  %one = stablehlo.constant dense<1.0> : tensor<32x64xf32>
  %d3 = stablehlo.dot_general %g, %e, contracting_dims = [0] x [0] : (tensor<32x64xf32>, tensor<32x1xf32>) -> tensor<64x1xf32>
  %eg = stablehlo.dot_general %e, %w3, contracting_dims = [1] x [1] : (tensor<32x1xf32>, tensor<64x1xf32>) -> tensor<32x64xf32>
  %gg = stablehlo.multiply %g, %g : tensor<32x64xf32>
  %sg = stablehlo.subtract %one, %gg : tensor<32x64xf32>
  %tb = stablehlo.multiply %eg, %sg : tensor<32x64xf32>
  %d2 = stablehlo.dot_general %h, %tb, contracting_dims = [0] x [0] : (tensor<32x64xf32>, tensor<32x64xf32>) -> tensor<64x64xf32>
  %eh = stablehlo.dot_general %tb, %w2, contracting_dims = [1] x [1] : (tensor<32x64xf32>, tensor<64x64xf32>) -> tensor<32x64xf32>
  %hh = stablehlo.multiply %h, %h : tensor<32x64xf32>
  %sh = stablehlo.subtract %one, %hh : tensor<32x64xf32>
  %ta = stablehlo.multiply %eh, %sh : tensor<32x64xf32>
  %d1 = stablehlo.dot_general %x, %ta, contracting_dims = [0] x [0] : (tensor<32x8xf32>, tensor<32x64xf32>) -> tensor<8x64xf32>
  return %d1, %d2, %d3 : tensor<8x64xf32>, tensor<64x64xf32>, tensor<64x1xf32>
}"""


def seconds(module: bytes, options: CompileOptions) -> float:
    began = time.perf_counter()
    compile_module(module, Target(), options=options)
    return time.perf_counter() - began


def measure(name: str, module: bytes) -> None:
    uncached = CompileOptions(use_cache=False)
    shutdown()
    cold = seconds(module, uncached)
    shutdown()
    prestart()
    time.sleep(1.0)  # s; starting and warming up takes less than half of it
    prestarted = seconds(module, uncached)
    warm = statistics.median(seconds(module, uncached) for _ in range(WARM_REPEATS))
    with tempfile.TemporaryDirectory() as folder:
        configure_cache(CacheSettings(Path(folder)))
        seconds(module, CompileOptions())
        memory = seconds(module, CompileOptions())
        configure_cache(CacheSettings(Path(folder)))
        disk = seconds(module, CompileOptions())
    print(f"{name:12} cold {cold:.3f}  prestarted {prestarted:.3f}  warm {warm:.3f}  ", end="")
    print(f"disk {disk * 1e6:.0f} µs  memory {memory * 1e6:.0f} µs")


def main() -> None:
    """Measure the built-in programs and the files named on the command line."""
    code = "import time; t = time.perf_counter(); import sable.compiler; print(time.perf_counter() - t)"
    spent = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    print(f"import sable.compiler {float(spent):.3f} s; the rest in seconds")
    measure("x + 1", ADD_ONE)
    measure("MLP step", MLP)
    for path in map(Path, sys.argv[1:]):
        measure(path.name, path.read_bytes())


if __name__ == "__main__":
    main()
