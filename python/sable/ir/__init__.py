"""Functions in MLIR: abstract values, the bindings, functions and their locations."""
