"""A planet's orbit: solved by `odeint`, checked by what it keeps, differentiated by where it starts and by the mass, and fitted.

python examples/seeds/orbits.py [FOLDER FOR CHARTS]
"""

from __future__ import annotations

from pathlib import Path

from shared import chart, run

import sable as jax
import sable.numpy as jnp
from sable.experimental.ode import odeint

#: In astronomical units, years and masses of the sun, G is 4 pi^2: a circle of radius 1 takes a year.
GRAVITY = 4 * jnp.pi**2
ECCENTRICITY = 0.4
YEAR = jnp.linspace(0.0, 1.0, 101)


def attraction(state, t, mass):
    """Velocity and acceleration of a planet at a distance from a body of a mass."""
    place, velocity = state["place"], state["velocity"]
    return {"place": velocity, "velocity": -GRAVITY * mass * place / jnp.sum(place**2) ** 1.5}


def perihelion(eccentricity):
    """Where the orbit of half axis 1 is next to the sun, and how fast the planet is there."""
    speed = jnp.sqrt(GRAVITY * (1 + eccentricity) / (1 - eccentricity))
    return {"place": jnp.array([1.0, 0.0]) * (1 - eccentricity), "velocity": jnp.array([0.0, 1.0]) * speed}


@jax.jit
def orbit(start, mass, times):
    """Places and velocities at some times."""
    return odeint(attraction, start, times, mass, rtol=1e-7, atol=1e-7)


def energy(states, mass):
    """Kinetic and potential energy of a planet of mass 1."""
    distance = jnp.linalg.norm(states["place"], axis=-1)
    return jnp.sum(states["velocity"] ** 2, axis=-1) / 2 - GRAVITY * mass / distance


def a_year(folder: Path | None) -> None:
    """After a year the planet is where it was; its energy is that of the half axis, its momentum Kepler's second law."""
    states = orbit(perihelion(ECCENTRICITY), 1.0, YEAR)
    place, velocity = states["place"], states["velocity"]
    moved = float(jnp.linalg.norm(place[-1] - place[0]))
    spread = float(jnp.max(jnp.abs(energy(states, 1.0) / (-GRAVITY / 2) - 1)))
    momentum = jnp.cross(place, velocity)
    print("back after a year:", moved < 1e-3, " farthest:", f"{float(-jnp.min(place[:, 0])):.3f}")
    print("energy kept:", spread < 1e-4, " momentum kept:", bool(jnp.allclose(momentum, momentum[0], rtol=1e-4)))
    if folder is not None:
        chart(folder / "orbit.png", "a year", [(place[:, 0], place[:, 1], "orbit")], ([0.0], [0.0]))


@jax.jit
@jax.grad
def pull(given):
    """How the place after half a year along the axis changes with where the planet starts, how fast, and the mass."""
    half = orbit(given["start"], given["mass"], jnp.array([0.0, 0.5]))
    return half["place"][1, 0]


def derivatives() -> None:
    """At the far end of the axis the planet stands across it: what moves its place along the axis is the axis's length.

    With a half axis a, 1 / a = 2 / r - v^2 / (G m), the far end is at -(2 a - r). Differentiated: by r, -(4 a^2 / r^2 - 1); by v,
    -4 a^2 v / (G m); by m, 2 a^2 v^2 / (G m^2).
    """
    start = perihelion(ECCENTRICITY)
    found = pull({"start": start, "mass": 1.0})
    r, v = 1 - ECCENTRICITY, float(start["velocity"][1])
    expected = [-(4 / r**2 - 1), -4 * v / GRAVITY, 2 * v**2 / GRAVITY]
    slopes = [float(found["start"]["place"][0]), float(found["start"]["velocity"][1]), float(found["mass"])]
    print("by place, speed and mass:", " ".join(f"{s:.2f}" for s in slopes))
    print("as the formula:", all(abs(s / e - 1) < 1e-3 for s, e in zip(slopes, expected)))


@jax.jit
@jax.value_and_grad
def misfit(logarithm, seen):
    """How far the orbit around a mass is from observed places."""
    return jnp.mean((orbit(perihelion(0.0), jnp.exp(logarithm), YEAR[:50:7])["place"] - seen) ** 2)


def weighing() -> None:
    """The mass that makes the orbit what is seen, from a rough one, by the secant method on the derivative."""
    seen = orbit(perihelion(0.0), 1.25, YEAR[:50:7])["place"]
    before, guess = 0.18, 0.2
    slope = misfit(before, seen)[1]
    for _ in range(6):
        value, new = misfit(guess, seen)
        if abs(float(new)) < 1e-5:
            break
        before, guess, slope = guess, guess - new * (guess - before) / (new - slope), new
    print(f"mass: {float(jnp.exp(guess)):.3f}, misfit below 1e-6: {float(value) < 1e-6}")


def main(folder: Path | None = None) -> None:
    """All of it."""
    a_year(folder)
    derivatives()
    weighing()


if __name__ == "__main__":
    run(main, __doc__)
