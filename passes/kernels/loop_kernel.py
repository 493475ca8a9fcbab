"""A StableHLO function with loops -> one kernel of one workgroup.

    tensors -> loops over memory (loop_state) -> linalg -> buffers -> affine loops -> vectors -> scf, vector, memref

IREE compiles the result as it is (`no_pipeline`), so nothing is dispatched, copied or waited for between trips.
"""

from __future__ import annotations

from sable.ir.bindings import ir

from ..ir_tools import CONTROL_FLOW, functions_with_body, run_pipeline, walk, walk_module
from ..module_traits import traits_of
from .affine_repairs import allow_contraction, hide_from_vectoriser, promote_reductions, widen_booleans
from .dispatch import Kernel, place_buffers
from .loop_state import LoopsInMemory
from .native_calls import LOWER_TO_CALLS, calls_in_kernel, is_native_call
from .not_a_kernel import NotAKernel
from .scatter_in_kernel import expand_scatter

#: What IREE should be told when a module holds such kernels: LLVM's own loop passes are off by default.
FLAGS = (
    "--iree-llvmcpu-loop-vectorization=true",
    "--iree-llvmcpu-loop-unrolling=true",
    "--iree-llvmcpu-loop-interleaving=true",
)

#: Lanes of the vectors that loops are cut into; LLVM splits them on narrower machines.
VECTOR_WIDTH = 16

_TO_LINALG = (
    "func.func(chlo-legalize-to-stablehlo,iree-stablehlo-legalize-control-flow),"
    "iree-stablehlo-to-stablehlo-preprocessing,"
    "iree-stablehlo-to-iree-input,canonicalize,cse,"
    "func.func(linalg-generalize-named-ops,linalg-fuse-elementwise-ops),canonicalize,cse"
)
# not eliminate-empty-tensors: wrong results here
_TO_BUFFERS = (
    "empty-tensor-to-alloc-tensor,one-shot-bufferize{bufferize-function-boundaries},canonicalize,cse,"
    f"{LOWER_TO_CALLS},"
    "func.func(buffer-loop-hoisting,buffer-hoisting),func.func(iree-codegen-memrefcopy-to-linalg),canonicalize,cse"
)
_TO_AFFINE = (
    "func.func(convert-linalg-to-affine-loops),fold-memref-alias-ops,"
    "func.func(affine-loop-normalize{promote-single-iter=true})"
)
_TO_VECTORS = (
    "func.func(iree-codegen-math-transform,canonicalize,"
    f"affine-super-vectorize{{virtual-vector-size={VECTOR_WIDTH} test-fastest-varying=0 vectorize-reductions}}),"
    "lower-affine,canonicalize,cse,symbol-dce"
)
_DIALECTS_OF_A_KERNEL = frozenset(
    ("builtin", "func", "arith", "math", "complex", "memref", "scf", "vector", "affine", "index", "ub")
)


def make_kernel(module: ir.Module) -> Kernel:
    """Makes a kernel of the one function in a module, which it takes over.

    Raises:
      NotAKernel: if something in the function has no form in a kernel.
    """
    check_kernel_ops(functions_with_body(module)[0])
    with module.context, ir.Location.unknown():
        (function,) = functions_with_body(module)
        signature = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
        inputs, outputs = tuple(signature.inputs), tuple(signature.results)
        _prepare(function)
        LoopsInMemory(function).run()
        calls_in_kernel(function.regions[0].blocks[0])
        module.operation.verify()
        _lower(module)
        (function,) = functions_with_body(module)
        _check_result(function)
        return Kernel(module, inputs, outputs, place_buffers(function))


def check_kernel_ops(function: ir.Operation) -> None:
    """Raises NotAKernel for ops and types that are known to have no form in a kernel."""
    for block in function.regions[0].blocks:
        check_block(block)


def check_block(block: ir.Block) -> None:
    for op in walk(block):
        why = traits_of(op.name).no_kernel
        if why and not is_native_call(op):
            raise NotAKernel(f"{op.name} has no form inside of a kernel: {why}")
        for value in (*op.operands, *op.results):
            _check_type(value.type, op.name)


def _check_type(type: ir.Type, where: str) -> None:
    if not isinstance(type, ir.RankedTensorType) or not type.has_static_shape:
        raise NotAKernel(f"{where} has the type {type}, a kernel needs tensors of static shape")
    if 0 in type.shape:
        raise NotAKernel(f"{where} has an empty operand or result")


def _prepare(function: ir.Operation) -> None:
    for op in list(walk(function.regions[0].blocks[0])):
        if op.name == "stablehlo.scatter":
            expand_scatter(op)
        elif op.name == "stablehlo.optimization_barrier":
            # it holds back passes over whole programs, of which none run in a kernel
            for result, operand in zip(op.results, list(op.operands)):
                result.replace_all_uses_with(operand)
            op.erase()


def _lower(module: ir.Module) -> None:
    try:
        run_pipeline(module, _TO_LINALG)
        _check_linalg(module)
        run_pipeline(module, _TO_BUFFERS)
        run_pipeline(module, _TO_AFFINE)
        widen_booleans(module)
        allow_contraction(module)
        promote_reductions(module)
        hide_from_vectoriser(module, VECTOR_WIDTH)
        run_pipeline(module, _TO_VECTORS)
    except ir.MLIRError as error:
        raise NotAKernel(f"a lowering pass failed: {error}") from error


def _check_linalg(module: ir.Module) -> None:
    for op in walk_module(module):
        dialect = op.name.split(".")[0]
        if dialect in ("stablehlo", "chlo", "iree_linalg_ext", "tm_tensor") or op.name in CONTROL_FLOW:
            raise NotAKernel(f"{op.name} was left over by the conversion to linalg")


def _check_result(function: ir.Operation) -> None:
    for op in walk(function.regions[0].blocks[0]):
        if op.name.split(".")[0] not in _DIALECTS_OF_A_KERNEL:
            raise NotAKernel(f"{op.name} was left over by the lowering to loops")
        if op.name == "memref.dealloc":
            raise NotAKernel("a buffer is freed inside of the kernel")
