"""What MLIR's affine vectoriser needs, and what must be kept from it (3.13)."""

from __future__ import annotations

import numpy as np

from sable.ir.bindings import ir

from ..ir_tools import before, create, operations, owner, signless, terminator, walk, walk_module

_LOADS, _STORES = ("affine.load", "memref.load"), ("affine.store", "memref.store")


def widen_booleans(module: ir.Module) -> None:
    """i1 in memory -> i8, as at IREE's boundary: IREE bit-packs or refuses buffers of i1."""
    with module.context, ir.Location.unknown():
        ops = walk_module(module)
        for op in ops:
            if op.name in _STORES and _is_boolean_buffer(op.operands[1]):
                op.operands[0] = create("arith.extui", [op.operands[0]], [signless(8)], at=before(op)).result
            elif op.name in _LOADS and _is_boolean_buffer(op.operands[0]):
                _truncate_after(op)
            elif op.name == "memref.global":
                _widen_global(op)
        for op in ops:
            for result in op.results:
                _widen(result)
            for region in op.regions:
                for block in region.blocks:
                    for argument in block.arguments:
                        _widen(argument)
        for op in ops:
            if op.name == "func.func" and len(op.regions[0].blocks):
                types = [argument.type for argument in op.regions[0].blocks[0].arguments]
                op.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(types, []))


def _is_boolean_buffer(value: ir.Value) -> bool:
    return isinstance(value.type, ir.MemRefType) and value.type.element_type == signless(1)


def _widened(type: ir.MemRefType) -> ir.MemRefType:
    return ir.MemRefType.get(type.shape, signless(8), type.layout, type.memory_space)


def _widen(value: ir.Value) -> None:
    if _is_boolean_buffer(value):
        value.set_type(_widened(value.type))


def _truncate_after(load: ir.Operation) -> None:
    value = load.results[0]
    value.set_type(signless(8))
    narrow = create("arith.trunci", [value], [signless(1)], at=ir.InsertionPoint.after(load))
    value.replace_all_uses_except(narrow.result, narrow)


def _widen_global(op: ir.Operation) -> None:
    type = ir.MemRefType(ir.TypeAttr(op.attributes["type"]).value)
    if type.element_type != signless(1):
        return
    values = ir.DenseIntElementsAttr(op.attributes["initial_value"])
    flat = [bool(values[i]) for i in range(len(values))]
    array = np.array(flat, np.int8).reshape(type.shape)
    op.attributes["type"] = ir.TypeAttr.get(_widened(type))
    op.attributes["initial_value"] = ir.DenseElementsAttr.get(array, type=signless(8), shape=list(type.shape))


def promote_reductions(module: ir.Module) -> None:
    """Innermost loops that load, combine and store one cell: the cell becomes a loop value, else nothing vectorises."""
    for loop in [op for op in walk_module(module) if op.name == "affine.for"]:
        _promote(loop)


def _promote(loop: ir.Operation) -> None:
    body = loop.regions[0].blocks[0]
    ops = operations(body)
    stores = [op for op in ops if op.name == "affine.store"]
    if len(loop.results) or len(stores) != 1 or any(len(op.regions) for op in ops):
        return
    (store,) = stores
    buffer, place = store.operands[1], list(store.operands)[2:]
    loads = [op for op in ops if op.name == "affine.load" and op.operands[0] == buffer]
    made_here = {result for op in ops for result in op.results} | set(body.arguments)
    if len(loads) != 1 or any(v in made_here for v in place):
        return
    (load,) = loads
    if list(load.operands)[1:] != place or load.attributes["map"] != store.attributes["map"]:
        return
    with loop.location:
        at = before(loop)
        first = load.clone(ip=at)
        bounds = list(ir.DenseI32ArrayAttr(loop.attributes["operandSegmentSizes"]))[:2]
        attributes = {name: loop.attributes[name] for name in ("lowerBoundMap", "upperBoundMap", "step")}
        attributes["operandSegmentSizes"] = ir.DenseI32ArrayAttr.get([*bounds, 1])
        start = [*loop.operands, first.operation.results[0]]
        new = create("affine.for", start, [load.results[0].type], at=at, regions=1, **attributes)
        value = body.add_argument(load.results[0].type, loop.location)
        load.results[0].replace_all_uses_with(value)
        end = terminator(body)
        create("affine.yield", [store.operands[0]], at=before(end))
        end.erase()
        where = store.attributes["map"]
        store.erase()
        load.erase()
        body.append_to(new.regions[0])
        create("affine.store", [new.results[0], buffer, *place], at=at, map=where)
        loop.erase()


def hide_from_vectoriser(module: ir.Module, width: int) -> None:
    """Turns accesses that `affine-super-vectorize` gets wrong into memref ops, which it leaves alone.

    It reads reversed and strided accesses as if they were contiguous, and reads over the end of a row when a trip count
    is no multiple of the vector.
    """
    for op in walk_module(module):
        if op.name in ("affine.load", "affine.store") and (_is_odd_access(op) or _is_ragged(op, width)):
            _as_memref_access(op)


def _first_index(access: ir.Operation) -> int:
    return 1 if access.name == "affine.load" else 2


def _is_odd_access(access: ir.Operation) -> bool:
    map = access.attributes["map"].value
    indices = list(access.operands)[_first_index(access) :]
    return any(not _is_shift(e) for e in map.results) or any(_is_odd_index(v) for v in indices)


def _is_shift(expression: ir.AffineExpr) -> bool:
    """Whether an index expression is a sum of loop variables and constants: steps of one element."""
    if isinstance(expression, ir.AffineAddExpr):
        return _is_shift(expression.lhs) and _is_shift(expression.rhs)
    return isinstance(expression, (ir.AffineDimExpr, ir.AffineSymbolExpr, ir.AffineConstantExpr))


def _is_odd_index(value: ir.Value) -> bool:
    op = owner(value)
    if op is None or op.name != "affine.apply":
        return False
    map = op.attributes["map"].value
    return any(not _is_shift(e) for e in map.results) or any(_is_odd_index(v) for v in op.operands)


def _is_ragged(access: ir.Operation, width: int) -> bool:
    """Whether a vector at the end of a loop over this access may leave the loop's part of the buffer.

    Only behind the end of the buffer itself is it masked.
    """
    first = _first_index(access)
    shape = ir.MemRefType(access.operands[first - 1].type).shape
    indices = list(access.operands)[first:]
    for extent, result in zip(shape, access.attributes["map"].value.results):
        for position in _dimensions_in(result):
            index = indices[position]
            loop = None if owner(index) is not None else index.owner.owner.operation
            if loop is None or loop.name != "affine.for":
                continue
            trips = _trip_count(loop)
            if trips is None or (trips % width and (extent != trips or len(loop.results))):
                return True
    return False


def _dimensions_in(expression: ir.AffineExpr) -> list[int]:
    """The dimensions that an index expression, a sum, is made of."""
    if isinstance(expression, ir.AffineAddExpr):
        return _dimensions_in(expression.lhs) + _dimensions_in(expression.rhs)
    return [expression.position] if isinstance(expression, ir.AffineDimExpr) else []


def _trip_count(loop: ir.Operation) -> int | None:
    bounds = []
    for name in ("lowerBoundMap", "upperBoundMap"):
        results = list(loop.attributes[name].value.results)
        if len(results) != 1 or not isinstance(results[0], ir.AffineConstantExpr):
            return None
        bounds.append(results[0].value)
    return bounds[1] - bounds[0]


def _as_memref_access(op: ir.Operation) -> None:
    first = _first_index(op)
    operands, map = list(op.operands), op.attributes["map"].value
    index = ir.IndexType.get(op.context)
    with op.location:
        at = before(op)
        places = []
        for expression in map.results:
            one = ir.AffineMapAttr.get(ir.AffineMap.get(map.n_dims, map.n_symbols, [expression]))
            places.append(create("affine.apply", operands[first:], [index], at=at, map=one).result)
        if op.name == "affine.load":
            new = create("memref.load", [operands[0], *places], [op.results[0].type], at=at)
            op.results[0].replace_all_uses_with(new.result)
        else:
            create("memref.store", [*operands[:2], *places], at=at)
    op.erase()


def allow_contraction(module: ir.Module) -> None:
    """Lets multiplications and additions fuse, as XLA does; IREE keeps no other fast-math flag."""
    with module.context:
        contract = ir.Attribute.parse("#arith.fastmath<contract>")
    for op in walk(module.body):
        if op.name in ("arith.addf", "arith.mulf", "arith.subf"):
            op.attributes["fastmath"] = contract
