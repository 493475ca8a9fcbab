"""Programs for the runtime's tests, compiled once a session: the runtime itself never sees a compiler."""

from __future__ import annotations

import pytest

from sable.runtime import Device, devices

_COMMON_FLAGS = (
    "--iree-input-type=auto",
    "--iree-input-demote-i64-to-i32=false",
    "--iree-input-demote-f64-to-f32=false",
)
_CPU_FLAGS = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
)
_VULKAN_FLAGS = ("--iree-hal-target-device=vulkan",)

#: `echo_<name>` returns its argument through an operation, for every dtype.
ECHO_TYPES = {
    "bool": "i1",
    "int8": "i8",
    "int16": "i16",
    "int32": "i32",
    "int64": "i64",
    "uint8": "ui8",
    "uint16": "ui16",
    "uint32": "ui32",
    "uint64": "ui64",
    "float16": "f16",
    "bfloat16": "bf16",
    "float32": "f32",
    "float64": "f64",
    "complex64": "complex<f32>",
    "complex128": "complex<f64>",
}


def compile_text(text: str, flags: tuple[str, ...]) -> bytes:
    """The .vmfb of a module, by IREE's compiler in this process."""
    from iree.compiler.api import Output, Session, Source

    session = Session()
    session.set_flags(*flags, *_COMMON_FLAGS)
    invocation = session.invocation()
    source = Source.wrap_buffer(session, text.encode() + b"\0")
    if not invocation.parse_source(source) or not invocation.execute():
        raise AssertionError("the test program does not compile")
    output = Output.open_membuffer()
    invocation.output_vm_bytecode(output)
    return bytes(output.map_memory())


def _echo(name: str, element: str) -> str:
    t = f"tensor<2x3x{element}>"
    # The barrier keeps the transpositions from cancelling: something must run.
    return f"""
  func.func @echo_{name}(%a: {t}) -> {t} {{
    %r = stablehlo.transpose %a, dims = [1, 0] : ({t}) -> tensor<3x2x{element}>
    %b = stablehlo.optimization_barrier %r : tensor<3x2x{element}>
    %s = stablehlo.transpose %b, dims = [1, 0] : (tensor<3x2x{element}>) -> {t}
    return %s : {t}
  }}"""


CPU_TEXT = """
module @programs {
  func.func @add_one(%a: tensor<10xf32>) -> tensor<10xf32> {
    %c = stablehlo.constant dense<1.0> : tensor<10xf32>
    %r = stablehlo.add %a, %c : tensor<10xf32>
    return %r : tensor<10xf32>
  }
  func.func @sum_and_product(%a: tensor<10xf32>, %b: tensor<10xf32>) -> (tensor<10xf32>, tensor<10xf32>) {
    %r = stablehlo.add %a, %b : tensor<10xf32>
    %s = stablehlo.multiply %a, %b : tensor<10xf32>
    return %r, %s : tensor<10xf32>, tensor<10xf32>
  }
  func.func @identity(%a: tensor<65536xf32>) -> tensor<65536xf32> { return %a : tensor<65536xf32> }
  func.func @constant() -> tensor<4xf32> {
    %c = stablehlo.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
    return %c : tensor<4xf32>
  }
  func.func @nothing(%a: tensor<10xf32>) { return }
  func.func @twice(%a: tensor<?xf32>) -> tensor<?xf32> {
    %r = stablehlo.add %a, %a : tensor<?xf32>
    return %r : tensor<?xf32>
  }
  func.func @scalar(%a: tensor<i32>) -> tensor<i32> {
    %r = stablehlo.add %a, %a : tensor<i32>
    return %r : tensor<i32>
  }
  func.func @empty(%a: tensor<0x3xf32>) -> tensor<0x3xf32> {
    %r = stablehlo.add %a, %a : tensor<0x3xf32>
    return %r : tensor<0x3xf32>
  }
  func.func @square(%a: tensor<64x64xf32>) -> tensor<64x64xf32> {
    %r = stablehlo.dot_general %a, %a, contracting_dims = [1] x [0]
      : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    return %r : tensor<64x64xf32>
  }
"""

HOST_TEXT = """
module @calls {
  func.func private @host.negate(tensor<2xf32>) -> tensor<2xf32>
  func.func private @host.split(tensor<2xf32>) -> (tensor<f32>, tensor<i1>)
  func.func private @host.note(tensor<2xf32>)
  func.func private @host.now() -> tensor<f64>
  func.func private @host.mixed(tensor<i1>, tensor<3xbf16>, tensor<2xcomplex<f32>>, tensor<2xui32>)
    -> (tensor<i1>, tensor<3xbf16>, tensor<2xcomplex<f32>>, tensor<2xui32>)

  func.func @negated(%a: tensor<2xf32>) -> tensor<2xf32> {
    %b = stablehlo.add %a, %a : tensor<2xf32>
    %r = call @host.negate(%b) : (tensor<2xf32>) -> tensor<2xf32>
    %s = stablehlo.add %r, %a : tensor<2xf32>
    return %s : tensor<2xf32>
  }
  func.func @split(%a: tensor<2xf32>) -> (tensor<f32>, tensor<i1>) {
    %r:2 = call @host.split(%a) : (tensor<2xf32>) -> (tensor<f32>, tensor<i1>)
    return %r#0, %r#1 : tensor<f32>, tensor<i1>
  }
  func.func @noted(%a: tensor<2xf32>) -> tensor<2xf32> {
    call @host.note(%a) : (tensor<2xf32>) -> ()
    %r = stablehlo.add %a, %a : tensor<2xf32>
    return %r : tensor<2xf32>
  }
  func.func @now() -> tensor<f64> {
    %r = call @host.now() : () -> tensor<f64>
    return %r : tensor<f64>
  }
  func.func @mixed(%a: tensor<i1>, %b: tensor<3xbf16>, %c: tensor<2xcomplex<f32>>, %d: tensor<2xui32>)
      -> (tensor<i1>, tensor<3xbf16>, tensor<2xcomplex<f32>>, tensor<2xui32>) {
    %r:4 = call @host.mixed(%a, %b, %c, %d)
      : (tensor<i1>, tensor<3xbf16>, tensor<2xcomplex<f32>>, tensor<2xui32>)
      -> (tensor<i1>, tensor<3xbf16>, tensor<2xcomplex<f32>>, tensor<2xui32>)
    return %r#0, %r#1, %r#2, %r#3 : tensor<i1>, tensor<3xbf16>, tensor<2xcomplex<f32>>, tensor<2xui32>
  }
}
"""

PARAMETER_TEXT = """
module @parameterised {
  util.global private @W = #flow.parameter.named<"model"::"W"> : tensor<4xf32>
  func.func @main(%a: tensor<4xf32>) -> tensor<4xf32> {
    %w = util.global.load @W : tensor<4xf32>
    %r = stablehlo.add %a, %w : tensor<4xf32>
    return %r : tensor<4xf32>
  }
}
"""

VULKAN_TEXT = """
module @gpu {
  func.func private @host.negate(tensor<2xf32>) -> tensor<2xf32>
  func.func @negated(%a: tensor<2xf32>) -> tensor<2xf32> {
    %b = stablehlo.add %a, %a : tensor<2xf32>
    %r = call @host.negate(%b) : (tensor<2xf32>) -> tensor<2xf32>
    %s = stablehlo.add %r, %a : tensor<2xf32>
    return %s : tensor<2xf32>
  }
  func.func @both(%a: tensor<5xi1>, %b: tensor<5xi1>) -> tensor<5xi1> {
    %r = stablehlo.and %a, %b : tensor<5xi1>
    return %r : tensor<5xi1>
  }
  func.func @empty(%a: tensor<0x3xf32>) -> tensor<0x3xf32> {
    %r = stablehlo.add %a, %a : tensor<0x3xf32>
    return %r : tensor<0x3xf32>
  }
  func.func @scalar(%a: tensor<i32>) -> tensor<i32> {
    %r = stablehlo.add %a, %a : tensor<i32>
    return %r : tensor<i32>
  }
}
"""


@pytest.fixture(scope="session")
def cpu() -> Device:
    return devices("cpu")[0]


@pytest.fixture(scope="session")
def programs() -> bytes:
    echoes = "".join(_echo(name, element) for name, element in ECHO_TYPES.items())
    return compile_text(f"{CPU_TEXT}{echoes}\n}}", _CPU_FLAGS)


@pytest.fixture(scope="session")
def host_program() -> bytes:
    return compile_text(HOST_TEXT, _CPU_FLAGS)


@pytest.fixture(scope="session")
def parameter_program() -> bytes:
    return compile_text(PARAMETER_TEXT, _CPU_FLAGS)


@pytest.fixture(scope="session")
def vulkan() -> Device:
    try:
        device = devices("vulkan")[0]
    except RuntimeError as error:
        pytest.skip(str(error))
    if device.compile_target is None:
        pytest.skip(f"no Vulkan target is known for {device.device_kind}")
    return device


@pytest.fixture(scope="session")
def vulkan_program(vulkan: Device) -> bytes:
    return compile_text(VULKAN_TEXT, (*_VULKAN_FLAGS, f"--iree-vulkan-target={vulkan.compile_target}"))
