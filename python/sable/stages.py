"""`jax.stages`: what lies between a function and its run.

The classes are made by `jit`: the parameters of their constructors (`traced`, `in_tree`, `device`, `donated`) are none of users.
"""

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent
from sable.api.compilation import Jitted as Wrapped
from sable.api.stages import ArgInfo, Compiled, CompilerOptions, Lowered
from sable.api.stages import TracedStage as Traced

_absent.explain(__name__)

__all__ = ["ArgInfo", "Compiled", "CompilerOptions", "Lowered", "Traced", "Wrapped"]
