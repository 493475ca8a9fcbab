"""Products, einsum, norms against JAX."""

from __future__ import annotations

import numpy as np
import pytest

import sable

from .expressions import compare, table

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")


@table(
    """
    f @ m[:3]
    f @ v[:3]
    v[:2] @ f
    v @ v
    t @ t.mT
    t @ m
    t @ v[:4]
    m @ t.mT
    jnp.ones((2, 1, 3, 4)) @ jnp.ones((5, 4, 2))
    jnp.ones((1, 3, 4)) @ jnp.ones((5, 4, 2))
    jnp.ones((2, 3, 4)) @ jnp.ones((5, 4, 2))
    i @ i.T
    i @ f.T
    b @ b.T
    i8 @ i8.T
    c @ c.T
    h @ h.T
    bf @ bf.T
    e @ f.T
    e.T @ e
    f @ f
    2 @ f
    f @ [1.0, 2.0, 3.0]
    f @ np.ones(3)
    np.ones((2, 2)) @ f
    wv @ wv
    jnp.matmul(f, f.T, preferred_element_type=jnp.float16)
    jnp.matmul(f, f.T, precision="highest")
    jnp.matmul(f, f.T, precision="other")
    jnp.matmul(i8, i8.T, preferred_element_type=jnp.int32)
    jnp.dot(f, f.T)
    jnp.dot(v, v)
    jnp.dot(f, 2)
    jnp.dot(2, 3)
    jnp.dot(t, m)
    jnp.dot(t, t.mT)
    jnp.dot(v, t[0].T[:5] if False else v)
    jnp.dot(w, w)
    jnp.dot(f, v)
    f.dot(f.T)
    jnp.vdot(c, c)
    jnp.vdot(f, p)
    jnp.vecdot(f, p)
    jnp.vecdot(c, f)
    jnp.matvec(m, v[:4])
    jnp.vecmat(v[:4], m)
    jnp.inner(f, p)
    jnp.inner(f, 3)
    jnp.inner(t, f) if False else jnp.inner(t, t)
    jnp.outer(v, f)
    jnp.outer(v, i8)
    jnp.outer(b, b)
    jnp.tensordot(t, m, 1)
    jnp.tensordot(f, p)
    jnp.tensordot(f, p, 0)
    jnp.tensordot(t, f, ([0, 1], [0, 1]))
    jnp.tensordot(t, f, (1, 1))
    jnp.tensordot(t, f, ([0, 1], [0]))
    jnp.tensordot(t, f, 3)
    jnp.tensordot(f, m, 1)
    jnp.kron(f, i)
    jnp.kron(v, f)
    jnp.trace(m)
    jnp.trace(f, 1)
    jnp.trace(t, axis1=1, axis2=2)
    jnp.trace(i8)
    jnp.trace(b)
    jnp.trace(v)
    jnp.cross(f, p)
    jnp.cross(f[:, :2], p[:, :2])
    jnp.cross(f[:, :2], p)
    jnp.cross(f.T, p.T, axis=0)
    jnp.cross(v, v)
    jnp.linalg.norm(v)
    jnp.linalg.norm(f)
    jnp.linalg.norm(t)
    jnp.linalg.norm(c)
    jnp.linalg.norm(i)
    jnp.linalg.norm(h)
    jnp.linalg.norm(v, 1)
    jnp.linalg.norm(v, 3)
    jnp.linalg.norm(v, 0)
    jnp.linalg.norm(v, jnp.inf)
    jnp.linalg.norm(v, -jnp.inf)
    jnp.linalg.norm(v, "fro")
    jnp.linalg.norm(f, axis=0)
    jnp.linalg.norm(f, axis=1, keepdims=True)
    jnp.linalg.norm(f, 1)
    jnp.linalg.norm(f, jnp.inf)
    jnp.linalg.norm(f, -1, keepdims=True)
    jnp.linalg.norm(t, "fro", axis=(0, 2))
    jnp.linalg.norm(t, 2)
    jnp.linalg.norm(f, "foo")
    jnp.linalg.vector_norm(f)
    jnp.linalg.vector_norm(t, axis=(0, 1))
    jnp.linalg.matrix_norm(t)
    jnp.linalg.matrix_norm(t, ord=1)
    jnp.linalg.matrix_power(m, 3)
    jnp.linalg.matrix_power(m, 0)
    jnp.linalg.matrix_power(f, 2)
    jnp.linalg.multi_dot([f, m[:3], m])
    jnp.linalg.cross(f, p)
    jnp.linalg.trace(t)
    jnp.linalg.diagonal(t)
    jnp.linalg.outer(v, v)
    """
)
def test_products(text: str) -> None:
    compare(text, rtol=1e-5 if "h" not in text.split("@")[0] and "bf" not in text else 2e-2, atol=1e-5)


@table(
    """
    jnp.einsum("ij,kj->ik", f, p)
    jnp.einsum("ij,jk", f, m[:3])
    jnp.einsum("ij->ji", f)
    jnp.einsum("ij->", f)
    jnp.einsum("ii", m)
    jnp.einsum("ii->i", m)
    jnp.einsum("ij,ij->ij", f, p)
    jnp.einsum("i,j->ij", v, v)
    jnp.einsum("ijk,ljk->il", t, t)
    jnp.einsum("ijk,ij,k->j", t, f, v[:4])
    jnp.einsum("ij,jk,kl,lm->im", f, m[:3], m, m)
    jnp.einsum("...j,jk->...k", t, m)
    jnp.einsum("i...,i...->...", t, t)
    jnp.einsum("...ij,...jk->...ik", t, t.mT)
    jnp.einsum("b...,c...->bc...", t, t)
    jnp.einsum("ba", f)
    jnp.einsum("i,i", v, v)
    jnp.einsum("i,i->i", i[0], f[0])
    jnp.einsum(" i j , j k -> i k ", f, m[:3])
    jnp.einsum(f, [0, 1], m[:3], [1, 2], [0, 2])
    jnp.einsum(f, [0, 1], [1, 0])
    jnp.einsum("ij,jk->ik", i, f.T)
    jnp.einsum("ij,kj->ik", i8, i8)
    jnp.einsum("ij,kj->ik", c, c)
    jnp.einsum("ij,kj->ik", f, p, preferred_element_type=jnp.float16)
    jnp.einsum("i,->i", v, 2)
    jnp.einsum("ij,jk->iq", f, m[:3])
    jnp.einsum("ij,jk->ik", f, m)
    jnp.einsum("ij->i", f, f)
    jnp.einsum("ijk->i", f)
    jnp.einsum("ij->ii", f)
    jnp.einsum("i,i->", wv, wv)
    jnp.einsum("bhqd,bhkd->bhqk", t[None], t[None])
    """
)
def test_einsum(text: str) -> None:
    compare(text, rtol=1e-3 if "float16" in text else 1e-5, atol=1e-5)


def test_einsum_path() -> None:
    a, b, c = np.ones((2, 3)), np.ones((3, 4)), np.ones((4, 2))
    path, text = sable.numpy.einsum_path("ij,jk,kl->il", a, b, c)
    assert path == jax.numpy.einsum_path("ij,jk,kl->il", a, b, c)[0]
    three = ("ij,jk,kl->il", a, b, c), (a, [0, 1], b, [1, 2], c, [2, 3])
    ways = [(x, way) for x in three for way in (False, True, [(1, 2), (0, 1)])]
    for operands, way in [*ways, (("ij", a), False)]:
        ours, theirs = (j.numpy.einsum_path(*operands, optimize=way)[0] for j in (sable, jax))
        assert ours == theirs
    assert "ij,jk,kl->il" in text
