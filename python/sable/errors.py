"""Errors that programs under transformation raise (the `jax.errors` of programs).

Each takes a finished message. The layer that raises it composes the message, since it knows the function, the
argument and the line; what the error means and how to mend a program is in the class's docstring, which is the page in
`docs/errors`.
"""

from __future__ import annotations

from typing import Any

from sable._pages import WithPage, with_page

__all__ = [
    "ConcretizationTypeError",
    "InconclusiveDimensionOperation",
    "JAXIndexError",
    "JAXTypeError",
    "JaxRuntimeError",
    "JaxprTypeError",
    "KeyReuseError",
    "NonConcreteBooleanIndexError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "UnexpectedTracerError",
]


@with_page
class JAXTypeError(WithPage, TypeError):
    """A traced value was used where it cannot be.

    It is the base of ConcretizationTypeError, TracerArrayConversionError, TracerIntegerConversionError,
    UnexpectedTracerError and KeyReuseError, and is raised as one of them: each has a page of its own. `except
    jax.errors.JAXTypeError` catches them all, and leaves other TypeErrors alone.

    A program that raises it:

        import numpy as np
        import sable as jax

        @jax.jit
        def wave(x):
            return np.sin(x)

        wave(1.0)

    The program mended:

        import sable as jax
        import sable.numpy as jnp

        @jax.jit
        def wave(x):
            return jnp.sin(x)

        wave(1.0)
    """


@with_page
class JAXIndexError(WithPage, IndexError):
    """A traced value was used as an index as which it cannot be used.

    It is the base of NonConcreteBooleanIndexError, and is raised as that one. `except jax.errors.JAXIndexError` leaves
    other IndexErrors alone.

    A program that raises it:

        import sable as jax
        import sable.numpy as jnp

        @jax.jit
        def small(x):
            return x[x < 3]

        small(jnp.arange(5))

    The program mended:

        import sable as jax
        import sable.numpy as jnp

        @jax.jit
        def small(x):
            return jnp.where(x < 3, x, 0)

        small(jnp.arange(5))
    """


@with_page
class ConcretizationTypeError(JAXTypeError):
    """A value was asked for that does not exist yet, because the function is being traced.

    While `jit` or `vmap` traces a function, its arguments stand for all arrays of a shape and dtype and have no values.
    What Python itself must know cannot depend on them: an axis, the number of results, a number made by `float(x)`,
    `int(x)`, `x.item()` or `x.tolist()`. Derivatives know the values, but `float(x)`, `complex(x)`, `x.tolist()` and
    `x.tobytes()` would lose the derivative without a word, and are refused in them too.

    A program that raises it:

        import sable as jax
        import sable.numpy as jnp

        @jax.jit
        def total(x, axis):
            return x.sum(axis)

        total(jnp.ones((2, 3)), 0)

    The axis decides the shape of the result, hence what program is compiled.

    The program mended:

        from functools import partial

        import sable as jax
        import sable.numpy as jnp

        @partial(jax.jit, static_argnames="axis")
        def total(x, axis):
            return x.sum(axis)

        total(jnp.ones((2, 3)), 0)

    Other ways:

    - A number that follows from shapes is computed from `x.shape`, which is known, in Python or NumPy.
    - Where the size of a result depends on data, it is given: `jnp.nonzero(x, size=10)`, `jnp.unique(x, size=4)`; or it is
      kept: `jnp.where(x > 0, x, 0)`.
    - `x.astype(float)` in place of `float(x)`.
    - `jax.debug.print("{}", x)` shows a value when the program runs.
    """


@with_page
class NonConcreteBooleanIndexError(JAXIndexError):
    """A traced array of booleans was used as an index, so that the result's size would depend on its values.

    Within `jit` and `vmap` each array has one shape, whatever is in it; how many elements a mask selects is not known. That
    holds for `x[mask]`, and for `x.at[mask].set(y)`.

    A program that raises it:

        import sable as jax
        import sable.numpy as jnp

        @jax.jit
        def sum_of_positive(x):
            return x[x > 0].sum()

        sum_of_positive(jnp.array([1.0, -2.0, 3.0]))

    The program mended:

        import sable as jax
        import sable.numpy as jnp

        @jax.jit
        def sum_of_positive(x):
            return x.sum(where=x > 0)

        sum_of_positive(jnp.array([1.0, -2.0, 3.0]))

    Other ways:

    - `jnp.where(x > 0, x, 0)` keeps the shape, and puts a number where nothing is selected.
    - `jnp.where(x > 0, y, x)` does what `x.at[x > 0].set(y)` would.
    - `x[jnp.nonzero(x > 0, size=2, fill_value=0)]` selects a number of elements that is known.
    - A mask that is known before (a NumPy array that is no argument) may be an index.
    """


@with_page
class TracerArrayConversionError(JAXTypeError):
    """NumPy was asked to make an array of a traced value.

    Functions of NumPy and SciPy compute at once, and need values which are not there under `jit` and `vmap`; under `grad`
    they would lose the derivative. A NumPy array indexed by a traced value is one of these functions, too.

    A program that raises it:

        import numpy as np
        import sable as jax

        table = np.arange(10)

        @jax.jit
        def look_up(i):
            return table[i] + np.sin(i)

        look_up(3)

    The program mended:

        import numpy as np
        import sable as jax
        import sable.numpy as jnp

        table = np.arange(10)

        @jax.jit
        def look_up(i):
            return jnp.asarray(table)[i] + jnp.sin(i)

        look_up(3)

    Other ways:

    - An argument that NumPy must see is made static: `static_argnums`, `static_argnames`.
    - What NumPy alone can compute is called while the program runs, by `jax.pure_callback`.
    """


@with_page
class TracerBoolConversionError(ConcretizationTypeError):
    """Python asked whether a traced value is true.

    So do `if`, `while`, `assert`, `and`, `or`, `not`, `0 < x < 1`, `max`, `min`, `sorted`, `in`, `any` and `all`. Which way
    Python goes is settled while the function is traced, and the compiled program has no other.

    A program that raises it:

        import sable as jax

        @jax.jit
        def magnitude(x):
            if x > 0:
                return x
            return -x

        magnitude(-2.0)

    The program mended:

        import sable as jax
        import sable.numpy as jnp

        @jax.jit
        def magnitude(x):
            return jnp.where(x > 0, x, -x)

        magnitude(-2.0)

    Other ways:

    - `jax.lax.cond(x > 0, f, g, x)` runs one of two functions; `jax.lax.while_loop` is a `while`.
    - `jnp.maximum`, `jnp.sort`, `jnp.any`, `(0 < x) & (x < 1)` in place of Python's.
    - An argument of few values on which the condition depends is made static: `static_argnums`, `static_argnames`.
    """


@with_page
class TracerIntegerConversionError(JAXTypeError):
    """Python needed a traced value as an integer.

    It does as the bound of a `range`, the index of a list, a shape, the number of decimals of `round`.

    A program that raises it:

        import sable as jax

        @jax.jit
        def power(x, n):
            result = 1.0
            for _ in range(n):
                result = result * x
            return result

        power(2.0, 3)

    The program mended:

        import sable as jax

        @jax.jit
        def power(x, n):
            return jax.lax.fori_loop(0, n, lambda _, result: result * x, 1.0)

        power(2.0, 3)

    Other ways:

    - A list that is indexed is made an array: `jnp.array([1, 2, 3])[i]`; of functions, `jax.lax.switch(i, functions, x)`
      calls one.
    - A number that decides a shape is a static argument: `static_argnums`, `static_argnames`.
    - A piece of known length at a traced place is `jax.lax.dynamic_slice_in_dim(x, i, 3)`.
    """


@with_page
class UnexpectedTracerError(JAXTypeError):
    """A traced value outlived the call in which it was traced, or got into another one.

    A function that `jit`, `vmap`, `grad` or `scan` traces is run once, on values that stand for many. What it stores in a
    list, a global or an attribute is no array, and is of no use when the call has returned. So are traced values that a
    rule of `custom_jvp` or `custom_vjp`, or an argument in `nondiff_argnums`, brings along.

    A program that raises it:

        import sable as jax

        saved = []

        @jax.jit
        def double(x):
            saved.append(x)
            return 2 * x

        double(1.0)
        saved[0] + 1

    The program mended:

        import sable as jax

        @jax.jit
        def double(x):
            return 2 * x, x

        result, saved = double(1.0)
        saved + 1

    Other ways:

    - `with jax.checking_leaks():` raises where a function that keeps a traced value returns, and says who holds it.
    - `jax.debug.callback(saved.append, x)` hands out the values of a running program.
    - A rule of a custom derivative gets all it needs as arguments, or as residuals.
    """


@with_page
class InconclusiveDimensionOperation(WithPage, Exception):
    """A comparison of symbolic dimensions has no answer that holds for all their values.

    JAX raises it for the dimensions that `jax.export.symbolic_shape` makes, such as for `n + 1 == m` of two that are not
    related. Sable has neither `jax.export` nor symbolic dimensions, so nothing raises it here; the class is there for
    programs that catch it.
    """


@with_page
class JaxprTypeError(WithPage, TypeError):
    """A program is not well typed: an operand's shape or dtype is not what the operation takes.

    JAX raises it where `jax_enable_checks` finds a fault in a traced function. Sable verifies functions as MLIR modules,
    and raises a PassError with the operation and its line; so nothing raises this class here. Code that uses the public
    functions causes neither: they point to a bug in a rule or a transformation, which is worth a report.
    """


@with_page
class KeyReuseError(JAXTypeError):
    """A random key was used twice, which makes random numbers that are not independent.

    It is raised only under `jax_debug_key_reuse`, for the typed keys that `jax.random.key` makes. Sampling uses a key up, and
    so does `jax.random.split`; so does a call of a function that uses it, and a loop whose body does, in each turn.

    A program that raises it:

        import sable as jax

        with jax.debug_key_reuse(True):
            key = jax.random.key(0)
            a = jax.random.normal(key)
            b = jax.random.normal(key)

    The two numbers would be the same.

    The program mended:

        import sable as jax

        with jax.debug_key_reuse(True):
            first, second = jax.random.split(jax.random.key(0))
            a = jax.random.normal(first)
            b = jax.random.normal(second)

    Other ways:

    - A loop carries a key and splits it in each turn, or runs over `jax.random.split(key, n)`.
    - `jax.random.fold_in(key, i)` makes a key of a key and a number.
    - `jax.random.clone(key)` says that the same numbers are wanted again.
    """


@with_page
class JaxRuntimeError(WithPage, RuntimeError):
    """A program failed while it ran, or a device could not do what it was asked to.

    That is: a function called by `pure_callback` or `debug.callback` raised an error, which is the `__cause__`; there is no
    memory for a result; a transfer is forbidden by `jax.transfer_guard`; an array is donated and used in the same call.
    ExecutionError and CompilationError are kinds of it.

    A program that raises it:

        import sable as jax
        import sable.numpy as jnp

        add = jax.jit(lambda x, y: x + y, donate_argnums=0)
        x = jnp.ones(3)
        add(x, x)

    A donated argument's memory becomes the result's, so that it cannot be another argument.

    The program mended:

        import sable as jax
        import sable.numpy as jnp

        add = jax.jit(lambda x, y: x + y, donate_argnums=0)
        x = jnp.ones(3)
        add(x.copy(), x)

    Other ways:

    - Out of memory: smaller batches; `jax.checkpoint`, which keeps less for the derivative; donated arguments.
    - A forbidden transfer: `jax.device_put` and `jax.device_get` make it an explicit one.
    """


def __getattr__(name: str) -> Any:
    # looked up when asked for: the compiler's package takes 0.05 s, and the runtime does without it
    if name == "CompilationError":
        from sable.compiler.errors import CompilationError

        return CompilationError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
