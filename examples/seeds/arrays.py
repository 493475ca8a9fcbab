"""Arrays: made like NumPy's, never changed in place, read beyond their ends, 32 bits wide unless asked otherwise.

python examples/seeds/arrays.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from shared import error_of, run

import sable as jax
import sable.numpy as jnp
from sable import lax


def pythagoras() -> None:
    """NumPy's names do what they do there, in float32."""
    angles = jnp.linspace(0, 5, 11)
    print(repr(angles))
    print("mean of sin^2 + cos^2:", jnp.round(jnp.mean(jnp.sin(angles) ** 2 + jnp.cos(angles) ** 2), 6))


def sorting() -> None:
    """The method `sort` of NumPy's arrays changes them and returns nothing; here it returns a sorted copy."""
    for library in (np, jnp):
        numbers = library.array([5, 3, 4])
        returned = numbers.sort()
        print(f"{library.__name__}: array {numbers}, returned {returned}")


def assign_third(numbers, value) -> None:
    """What NumPy's arrays allow."""
    numbers[2] = value


def updates() -> None:
    """Assignment is refused; `.at` gives a changed copy."""
    numbers = jnp.array([10, 20, 30, 40])
    print("assignment:", error_of(lambda: assign_third(numbers, 0)))
    third = numbers.at[2]
    print("set", third.set(7), "add", third.add(7), "multiply", third.mul(2), "max", third.max(35), "min", third.min(7))
    print("the tail set", numbers.at[1:].set(0), "and added to", numbers.at[1:].add(1))
    print("a row", jnp.zeros((2, 3)).at[1, :].set(9).tolist(), "and still", numbers)


def beyond_the_ends() -> None:
    """An index beyond the last element reads the last one, or a value of one's choice."""
    squares = jnp.arange(6) ** 2
    print("read at 6 and 600:", squares[6], squares[600])
    print("filled:", squares.at[600].get(mode="fill", fill_value=-1))
    print("NumPy:", error_of(lambda: np.arange(6)[600]))


def dtypes() -> None:
    """`numpy` promotes, `lax` refuses to; 64 bits are an option; new arrays are on the default device."""
    one = jnp.asarray(1)
    print("numpy.add:", jnp.add(one, 0.5).dtype, " lax.add:", error_of(lambda: lax.add(one, jnp.float32(0.5))))
    print("by default:", jnp.ones(2).dtype, jnp.arange(2).dtype)
    with jax.enable_x64(True):
        print("with 64 bits:", jnp.ones(2).dtype, jnp.arange(2).dtype)
    print("device:", jax.device_put(np.ones(2)).device.platform)


def main(folder: Path | None = None) -> None:
    """All of it."""
    pythagoras()
    sorting()
    updates()
    beyond_the_ends()
    dtypes()


if __name__ == "__main__":
    run(main, __doc__)
