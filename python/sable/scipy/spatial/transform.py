"""`jax.scipy.spatial.transform`: rotations in three dimensions, and paths through them.

A rotation by the angle t about the unit vector n is the quaternion (n sin(t/2), cos(t/2)), the scalar last; that of -q is the
same. All of it broadcasts over dimensions in front of the last one, and is differentiable.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import sable.numpy as jnp
from sable import _absent, random
from sable.core.array import Value
from sable.core.operands import array_argument, promote_dtypes

_absent.explain(__name__)

__all__ = ["Rotation", "Slerp"]

#: Angles below which sin(t) / t and its like are taken from their series, rad: there f32's rounding exceeds the next term.
_SMALL = 1e-3
#: Angles that count as zero where the other two of Euler's have no values by themselves, rad.
_DEGENERATE = 1e-7


def _inexact(name: str, x: Any) -> Value:
    return promote_dtypes([array_argument(name, x)], "inexact")[0]


def _dot(x: Value, y: Value) -> Value:
    """Scalar products along the last dimension, which stays."""
    return jnp.sum(x * y, axis=-1, keepdims=True)


def _parts(quat: Value) -> tuple[Value, Value]:
    """The vector and the scalar, (..., 3) and (..., 1)."""
    return quat[..., :3], quat[..., 3:]


def _normalized(quat: Value) -> Value:
    return quat / jnp.sqrt(_dot(quat, quat))


def _product(p: Value, q: Value) -> Value:
    """Hamilton's product: the rotation q followed by p."""
    (u, a), (v, b) = _parts(p), _parts(q)
    return jnp.concatenate([a * v + b * u + jnp.cross(u, v), a * b - _dot(u, v)], axis=-1)


def _axes(seq: str) -> tuple[list[int], bool]:
    """Numbers of the axes in "xyz" (about fixed axes) or "XYZ" (about those that move along), and whether they are fixed.

    Raises:
      ValueError: other letters, an axis twice in a row.
    """
    if not re.fullmatch("[XYZ]{1,3}|[xyz]{1,3}", seq):
        raise ValueError(f"Expected axes from `seq` to be from ['x', 'y', 'z'] or ['X', 'Y', 'Z'], got {seq}")
    if any(one == other for one, other in zip(seq, seq[1:])):
        raise ValueError(f"Expected consecutive axes to be different, got {seq}")
    return ["xyz".index(letter) for letter in seq.lower()], seq.islower()


def _elementary(axis: int, angle: Value) -> Value:
    """The rotation about one of the axes."""
    sine = jnp.sin(angle / 2)
    return jnp.stack([*[sine if k == axis else jnp.zeros_like(sine) for k in range(3)], jnp.cos(angle / 2)], axis=-1)


def _in_degrees(degrees: Any, x: Value) -> Value:
    return jnp.where(degrees, jnp.rad2deg(x), x)


def _euler_angles(quat: Value, axes: Sequence[int], fixed: bool) -> Value:
    """E. Bernardes, S. Viollet, "Quaternion to Euler angles conversion: a direct, general and computationally efficient method",
    PLoS ONE 17(11), 2022, of axes in the order in which they are applied."""
    i, j, k = axes if fixed else axes[::-1]
    symmetric = i == k
    k = 3 - i - j if symmetric else k
    sign = (i - j) * (j - k) * (k - i) // 2
    x, y, z, w = quat[..., i], quat[..., j], quat[..., k] * sign, quat[..., 3]
    a, b, c, d = (w, x, y, z) if symmetric else (w - y, x + z, y + w, z - x)
    middle = 2 * jnp.arctan2(jnp.hypot(c, d), jnp.hypot(a, b))
    half_sum, half_difference = jnp.arctan2(b, a), jnp.arctan2(d, c)
    at_zero, at_pi = jnp.abs(middle) <= _DEGENERATE, jnp.abs(middle - math.pi) <= _DEGENERATE
    # there only the sum or the difference of the outer two is determined: one of them is zero
    alone = jnp.where(at_zero, 2 * half_sum, (-2 if fixed else 2) * half_difference)
    outer = [half_sum - half_difference, half_sum + half_difference]
    first, last = outer if fixed else outer[::-1]
    first, last = jnp.where(at_zero | at_pi, alone, first), jnp.where(at_zero | at_pi, 0, last)
    if not symmetric:
        first, last = (first, last * sign) if fixed else (first * sign, last)
        middle = middle - math.pi / 2
    angles = jnp.stack([first, middle, last], axis=-1)
    return (angles + math.pi) % (2 * math.pi) - math.pi


class Rotation(NamedTuple):
    """One rotation, or many: a named tuple, hence a pytree, of quaternions.

    Attributes:
      quat: (4,) or (..., 4), of length 1, the scalar last.

    Made by `from_euler`, `from_matrix`, `from_mrp`, `from_quat`, `from_rotvec`, `identity`, `random`, `concatenate`; `p * q`
    is q followed by p; `r[i]` takes some of many.

    Example:
      >>> turn = Rotation.from_euler("z", 90, degrees=True)
      >>> jnp.round(turn.apply(jnp.array([1.0, 0.0, 2.0])), 6)
      Array([0., 1., 2.], dtype=float32)
      >>> (turn * turn).magnitude()
      Array(3.1415927, dtype=float32)
    """

    quat: Any

    @classmethod
    def concatenate(cls, rotations: Sequence[Rotation]) -> Rotation:
        """Rotations in a row; single ones among them count as one each."""
        return cls(jnp.concatenate([jnp.atleast_2d(each.quat) for each in rotations]))

    @classmethod
    def from_euler(cls, seq: str, angles: Any, degrees: Any = False) -> Rotation:
        """Rotations about one axis after the other.

        Args:
          seq: one to three axes: lower case for fixed axes, upper case for axes that move along.
          angles: (..., len(seq)); a scalar for a single axis.
          degrees: whether they are in degrees, not in radians.

        Raises:
          ValueError: no such axes, one of them twice in a row; another number of angles.
        """
        if not 1 <= len(seq) <= 3:
            raise ValueError(f"Expected axis specification to be a non-empty string of upto 3 characters, got {seq}")
        axes, fixed = _axes(seq)
        given = jnp.atleast_1d(_inexact("from_euler", angles))
        if given.shape[-1] != len(axes):
            raise ValueError(f"from_euler: {len(axes)} axes, but angles of shape {given.shape}")
        turns = jnp.where(degrees, jnp.deg2rad(given), given)
        found = _elementary(axes[0], turns[..., 0])
        for k, axis in enumerate(axes[1:], 1):
            turn = _elementary(axis, turns[..., k])
            found = _product(turn, found) if fixed else _product(found, turn)
        return cls(found)

    @classmethod
    def from_matrix(cls, matrix: Any) -> Rotation:
        """Of orthogonal matrices (..., 3, 3) with determinant 1.

        By the largest one of the squares of the four components (S. W. Shepperd, "Quaternion from rotation matrix", Journal of
        Guidance and Control 1, 1978).
        """
        m = array_argument("from_matrix", matrix)
        trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
        sizes = jnp.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2], trace], axis=-1)
        found = []
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            parts = {
                i: 1 - trace + 2 * m[..., i, i],
                j: m[..., j, i] + m[..., i, j],
                k: m[..., k, i] + m[..., i, k],
                3: m[..., k, j] - m[..., j, k],
            }
            found.append(jnp.stack([parts[n] for n in range(4)], axis=-1))
        differences = [m[..., (i + 2) % 3, (i + 1) % 3] - m[..., (i + 1) % 3, (i + 2) % 3] for i in range(3)]
        found.append(jnp.stack([*differences, 1 + trace], axis=-1))
        largest = jnp.argmax(sizes, axis=-1)[..., None, None]
        return cls(_normalized(jnp.take_along_axis(jnp.stack(found, axis=-2), largest, axis=-2)[..., 0, :]))

    @classmethod
    def from_mrp(cls, mrp: Any) -> Rotation:
        """Of modified Rodrigues parameters (..., 3): the axis times tan(t/4)."""
        p = array_argument("from_mrp", mrp)
        squared = _dot(p, p)
        return cls(jnp.concatenate([2 * p, 1 - squared], axis=-1) / (1 + squared))

    @classmethod
    def from_quat(cls, quat: Any) -> Rotation:
        """Of quaternions (..., 4) of any length but zero, the scalar last."""
        return cls(_normalized(array_argument("from_quat", quat)))

    @classmethod
    def from_rotvec(cls, rotvec: Any, degrees: Any = False) -> Rotation:
        """Of vectors (..., 3): the axis times the angle, in radians or degrees."""
        given = _inexact("from_rotvec", rotvec)
        vector = jnp.where(degrees, jnp.deg2rad(given), given)
        squared = _dot(vector, vector)
        small = squared <= _SMALL**2
        angle = jnp.sqrt(jnp.where(small, 1, squared))
        scale = jnp.where(small, 0.5 - squared / 48 + squared**2 / 3840, jnp.sin(angle / 2) / angle)
        cosine = jnp.where(small, 1 - squared / 8 + squared**2 / 384, jnp.cos(angle / 2))
        return cls(jnp.concatenate([scale * vector, cosine], axis=-1))

    @classmethod
    def identity(cls, num: int | None = None, dtype: Any = float) -> Rotation:
        """The rotation by zero, or `num` of it."""
        quat = jnp.array([0.0, 0.0, 0.0, 1.0], dtype=dtype)
        return cls(quat if num is None else jnp.tile(quat, (num, 1)))

    @classmethod
    def random(cls, random_key: Any, num: int | None = None) -> Rotation:
        """Rotations that are uniformly distributed: a single one, or `num`.

        Quaternions of normal components have no preferred direction (M. E. Muller, Communications of the ACM 2(4), 1959).
        """
        return cls(_normalized(random.normal(random_key, (4,) if num is None else (num, 4))))

    def __getitem__(self, indexer: Any) -> Rotation:
        """Some of many rotations.

        Raises:
          TypeError: it is a single one.
        """
        if self.single:
            raise TypeError("Single rotation is not subscriptable.")
        return Rotation(self.quat[indexer])

    def __len__(self) -> int:
        """How many rotations there are.

        Raises:
          TypeError: it is a single one.
        """
        if self.single:
            raise TypeError("Single rotation has no len().")
        return self.quat.shape[0]

    def __mul__(self, other: Rotation) -> Rotation:
        """The other rotation followed by this one."""
        return Rotation.from_quat(_product(self.quat, other.quat))

    def apply(self, vectors: Any, inverse: Any = False) -> Value:
        """Vectors (..., 3) rotated, or with `inverse` rotated back."""
        matrix = self.as_matrix()
        chosen = jnp.where(inverse, jnp.swapaxes(matrix, -1, -2), matrix)
        return jnp.einsum("...ij,...j->...i", chosen, array_argument("apply", vectors))

    def as_euler(self, seq: str, degrees: Any = False) -> Value:
        """Angles (..., 3) about three axes, see `from_euler`: the outer ones in [-pi, pi), the middle one in [0, pi] if the outer
        axes are the same, else in [-pi/2, pi/2]. Where only the sum of the outer ones is determined, the last one is zero.

        Raises:
          ValueError: other than three axes, no such axes, one of them twice in a row.
        """
        if len(seq) != 3:
            raise ValueError(f"Expected 3 axes, got {seq}.")
        return _in_degrees(degrees, _euler_angles(self.quat, *_axes(seq)))

    def as_matrix(self) -> Value:
        """Orthogonal matrices (..., 3, 3)."""
        x, y, z, w = (self.quat[..., k] for k in range(4))
        rows = [
            [x * x - y * y - z * z + w * w, 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), -x * x + y * y - z * z + w * w, 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), -x * x - y * y + z * z + w * w],
        ]
        return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)

    def as_mrp(self) -> Value:
        """Modified Rodrigues parameters (..., 3), of length 1 at most; see `from_mrp`."""
        vector, scalar = _parts(self.quat)
        sign = jnp.where(scalar < 0, -1.0, 1.0)
        return sign * vector / (1 + sign * scalar)

    def as_rotvec(self, degrees: Any = False) -> Value:
        """Vectors (..., 3): the axis times the angle, from 0 to pi."""
        vector, scalar = _parts(jnp.where(self.quat[..., 3:] < 0, -self.quat, self.quat))
        squared = _dot(vector, vector)
        small = squared <= (_SMALL / 2 * scalar) ** 2
        angle = 2 * jnp.arctan2(jnp.sqrt(jnp.where(small, 1, squared)), scalar)
        angle_squared = 4 * squared / jnp.where(small, scalar, 1) ** 2  # tan(t/2) = t/2
        series = 2 + angle_squared / 12 + 7 * angle_squared**2 / 2880
        return _in_degrees(degrees, jnp.where(small, series, angle / jnp.sin(angle / 2))) * vector

    def as_quat(self, canonical: bool = False, scalar_first: bool = False) -> Value:
        """Quaternions (..., 4).

        Args:
          canonical: of q and -q the one whose first component that is not zero, counted from the scalar, is positive.
          scalar_first: the scalar before the vector.
        """
        quat = self.quat
        if canonical:
            w, x, y, z = (quat[..., k : k + 1] for k in (3, 0, 1, 2))
            first = jnp.where(w != 0, w, jnp.where(x != 0, x, jnp.where(y != 0, y, z)))
            quat = jnp.where(first < 0, -quat, quat)
        return jnp.roll(quat, 1, axis=-1) if scalar_first else quat

    def inv(self) -> Rotation:
        """The rotation back."""
        vector, scalar = _parts(self.quat)
        return Rotation(jnp.concatenate([-vector, scalar], axis=-1))

    def magnitude(self) -> Value:
        """Angles (...), from 0 to pi."""
        vector, scalar = _parts(self.quat)
        return 2 * jnp.arctan2(jnp.sqrt(_dot(vector, vector)), jnp.abs(scalar))[..., 0]

    def mean(self, weights: Any = None) -> Rotation:
        """The rotation with the least mean of squared distances of matrices to these, (n, 4).

        Args:
          weights: (n,); None: ones.

        F. L. Markley et al., "Averaging quaternions", Journal of Guidance, Control, and Dynamics 30(4), 2007.

        Raises:
          ValueError: other than n weights.
        """
        quat = self.quat
        w = jnp.ones(quat.shape[0], quat.dtype) if weights is None else jnp.asarray(weights, quat.dtype)
        if w.ndim != 1:
            raise ValueError(f"Expected `weights` to be 1 dimensional, got shape {w.shape}.")
        if w.shape[0] != len(self):
            raise ValueError(
                "Expected `weights` to have number of values equal to number of rotations, got "
                f"{w.shape[0]} values and {len(self)} rotations."
            )
        return Rotation(jnp.linalg.eigh(jnp.dot(w[None] * quat.T, quat))[1][:, -1])

    @property
    def single(self) -> bool:
        """Whether it is one rotation, and no array of them."""
        return self.quat.ndim == 1


class Slerp(NamedTuple):
    """A path through rotations, with a constant angular velocity between two of them: a pytree, called with times.

    K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985. Outside of the times the first and the last piece go
    on; made by `Slerp.init(times, rotations)`.

    Attributes:
      times: (n,), ascending.
      timedelta: (n - 1,), their differences.
      rotations: the first n - 1 rotations.
      rotvecs: (n - 1, 3), from each rotation to the next one.

    Example:
      >>> path = Slerp.init([0, 2], Rotation.from_euler("z", jnp.array([[0.0], [1.0]])))
      >>> jnp.round(path(0.5).magnitude(), 4)
      Array(0.25, dtype=float32)
    """

    times: Any
    timedelta: Any
    rotations: Rotation
    rotvecs: Any

    @classmethod
    def init(cls, times: Any, rotations: Rotation) -> Slerp:
        """A path.

        Args:
          times: (n,), ascending.
          rotations: n of them, two at least.

        Raises:
          TypeError: no `Rotation`. ValueError: a single one; other than n times.
        """
        if not isinstance(rotations, Rotation):
            raise TypeError("`rotations` must be a `Rotation` instance.")
        if rotations.single or len(rotations) == 1:
            raise ValueError("`rotations` must be a sequence of at least 2 rotations.")
        at = jnp.asarray(times, rotations.quat.dtype)
        if at.ndim != 1:
            raise ValueError(f"Expected times to be specified in a 1 dimensional array, got {at.ndim} dimensions.")
        if at.shape[0] != len(rotations):
            raise ValueError(
                "Expected number of rotations to be equal to number of timestamps given, got "
                f"{len(rotations)} rotations and {at.shape[0]} timestamps."
            )
        before, behind = rotations[:-1], rotations[1:]
        return cls(at, jnp.diff(at), before, (before.inv() * behind).as_rotvec())

    def __call__(self, times: Any) -> Rotation:
        """The rotations at times: a scalar, or (m,).

        Raises:
          ValueError: more dimensions.
        """
        at = jnp.asarray(times, self.times.dtype)
        if at.ndim > 1:
            raise ValueError("`times` must be at most 1-dimensional.")
        piece = jnp.maximum(jnp.searchsorted(self.times, at) - 1, 0)
        part = (at - self.times[piece]) / self.timedelta[piece]
        return self.rotations[piece] * Rotation.from_rotvec(self.rotvecs[piece] * part[..., None])
