"""jet: Taylor coefficients of a function along a curve, by the ops' rules of first derivatives alone.

A series is a curve's value and its coefficients x_0 + x_1 s + x_2 s^2 + ... Those of an op's result come from one of two rules:

- In operands in which the op is linear, coefficient k is the op on the operands' coefficients k; where it is linear in each of
  two, the sum of the op on coefficients j and k - j.
- Else y' = J(x) x', and the rule for tangents says in terms of other ops what J(x) x' is. On series it gives
  k y_k = (J(x) x')_{k-1}, where the right side needs coefficients of y and of what the rule makes up to k - 1 only. So series are
  lazy, and an op on the same series is the same series: sine and cosine ask each other for the next coefficient, which is the
  recurrence of a linear system (Griewank and Walther, Evaluating Derivatives, 2008, section 13.2 and table 13.2).

Ops that name functions are walked through (calls, scans), or have the second rule: their derivative names functions too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sable.ir.aval import Aval
from sable.ir.function import Function, FunctionBuilder, Node
from sable.ir.op import Builder, Linear, Op

from .linearize import add, tangent
from .transforms import TRANSFORMS, transform


class Series:
    """Coefficients of the powers of s, computed when they are asked for; None is zero.

    Attributes:
      more: `(k) -> coefficient k`; None where all but the first are zero.
    """

    __slots__ = ("coefficients", "more")

    def __init__(self, coefficients: Sequence[Any], more: Callable[[int], Any] | None = None):
        self.coefficients, self.more = list(coefficients), more

    @property
    def constant(self) -> bool:
        """Whether it is known that there is nothing but a value."""
        return self.more is None and len(self.coefficients) == 1

    def __getitem__(self, k: int) -> Any:
        found = self.coefficients
        while len(found) <= k:
            found.append(None if self.more is None else self.more(len(found)))
        return found[k]


class SeriesBuilder(Builder):
    """The builder whose values are series.

    Args:
      inner: the builder of their coefficients.
      order: up to which coefficients are wanted.

    Attributes:
      whole: whether the coefficients of operands are known up to that order; inside of a rule for tangents they depend on
        those that it is asked for.
    """

    def __init__(self, inner: Any, order: int):
        self.inner, self.order, self.whole = inner, order, True
        self._made: dict[Any, tuple[Any, tuple]] = {}

    @property
    def location(self) -> Any:
        return self.inner.location

    def at(self, location: Any) -> None:
        self.inner.at(location)

    def aval(self, x: Series) -> Aval:
        return self.inner.aval(x[0])

    def full(self, aval: Aval, value: Any) -> Series:
        return Series([self.inner.full(aval, value)])

    def literal(self, array: Any) -> Series:
        return Series([self.inner.literal(array)])

    def bind(self, op: Op, *operands: Series, **params: Any) -> Any:
        key = (op, *map(id, operands), *params.values())
        try:
            found = self._made.get(key)
        except TypeError:  # a parameter that has no hash
            return self._bind(op, operands, params)
        if found is None:
            found = self._made[key] = self._bind(op, operands, params), operands
        return found[0]

    def _bind(self, op: Op, xs: Sequence[Series], params: dict) -> Any:
        active = any(not x.constant for x in xs)
        if op.functions and active:
            node = Node(op, [], [None] * len(op.type(*map(self.aval, xs), **params)), params, self.location)  # type: ignore[list-item]
            walked = op.rules.jet(TRANSFORMS, self, node, xs)
            if walked is not None:
                return tuple(walked)
        out = self.inner.bind(op, *[x[0] for x in xs], **params)
        return self.continued(op, xs, params, out if op.multiple_results else (out,))

    def continued(self, op: Op, xs: Sequence[Series], params: dict, values: Sequence[Any]) -> Any:
        """The results of an op, of which the values are known."""
        if all(x.constant for x in xs) or not (op.jvp or op.functions):
            ys = tuple(Series([y]) for y in values)
        else:
            ys = self._by_coefficients(op, xs, params, values) or self._by_slopes(op, xs, params, values)
        return ys if op.multiple_results else ys[0]

    def _by_coefficients(self, op: Op, xs: Sequence[Series], params: dict, values: Sequence[Any]) -> Any:
        """Where the op is linear in all series that are not constant, or in each of two."""
        rules = op.jvp
        if callable(rules) or not rules or op.multiple_results:
            return None
        moving = [i for i, x in enumerate(xs) if not x.constant]
        kinds = [rules.get(op.operand_name(i)) for i in moving]
        if not all(isinstance(rule, Linear) for rule in kinds):
            return None
        alone = [rule for rule in kinds if not rule.jointly and rule.rule is None]
        if not alone or len(moving) == 1:
            firsts = [x[0] for x in xs]
            return (Series(values, lambda k: self._linear(op, xs, firsts, params, values[0], k)),)
        if len(moving) != 2 or len(alone) != 2:
            return None
        return (Series(values, lambda k: self._bilinear(op, xs, moving, params, k)),)

    def _linear(self, op: Op, xs: Sequence[Series], firsts: list, params: dict, y: Any, k: int) -> Any:
        terms = [None if x.constant else x[k] for x in xs]
        return None if all(t is None for t in terms) else tangent(self.inner, op, terms, y, firsts, params)

    def _bilinear(self, op: Op, xs: Sequence[Series], moving: Sequence[int], params: dict, k: int) -> Any:
        i, j = moving
        total = None
        for m in range(k + 1):
            left, right = xs[i][m], xs[j][k - m]
            if left is not None and right is not None:
                values = [left if n == i else right if n == j else x[0] for n, x in enumerate(xs)]
                total = add(self.inner, total, self.inner.bind(op, *values, **params))
        return total

    def _by_slopes(self, op: Op, xs: Sequence[Series], params: dict, values: Sequence[Any]) -> tuple:
        """k y_k is coefficient k - 1 of the tangent along the operands' derivatives."""
        ys: tuple = ()
        slopes: list[Any] = []

        def coefficient(place: int, k: int) -> Any:
            if not slopes:
                whole, self.whole = self.whole, False
                slopes.extend(self._slopes(op, xs, params, ys))
                self.whole = whole
            slope = slopes[place]
            found = None if slope is None else slope[k - 1]
            return None if found is None else self.scaled(found, 1 / k)

        ys = tuple(Series([y], lambda k, i=i: coefficient(i, k)) for i, y in enumerate(values))
        return ys

    def _slopes(self, op: Op, xs: Sequence[Series], params: dict, ys: tuple) -> Sequence[Any]:
        ts = [None if x.constant else self.derivative(x) for x in xs]
        if op.functions:
            node = Node(op, [], [None] * len(ys), params, self.location)  # type: ignore[list-item]
            return op.rules.jvp(TRANSFORMS, self, node, list(xs), ts)[1]
        out = tangent(self, op, ts, ys if op.multiple_results else ys[0], xs, params)
        return [None] * len(ys) if out is None else out if op.multiple_results else (out,)

    def derivative(self, x: Series) -> Series:
        """The series of x'."""

        def coefficient(k: int) -> Any:
            return None if x[k + 1] is None else self.scaled(x[k + 1], k + 1)

        first = coefficient(0)
        return Series([self.inner.full(self.aval(x), 0) if first is None else first], coefficient)

    def terms(self, x: Series) -> list[Any]:
        """The coefficients 1 to the order, zeros written out."""
        return [self.inner.full(self.aval(x), 0) if x[k] is None else x[k] for k in range(1, self.order + 1)]

    def with_terms(self, values: Sequence[Any], terms: Sequence[Any], there: Sequence[bool]) -> list[Series]:
        """Series of these values, of which some have terms."""
        rest = iter(terms)
        return [
            Series([x, *[next(rest) for _ in range(self.order)]]) if on else Series([x]) for x, on in zip(values, there)
        ]

    def scaled(self, x: Any, by: float) -> Any:
        """A coefficient times a number."""
        return x if by == 1 else self.inner.multiply(x, self.inner.full(self.inner.aval(x), by))


@transform
def jet(function: Function, args: Sequence[Series], b: SeriesBuilder, known: dict | None = None) -> list[Series]:
    """Evaluate a function on series.

    Args:
      function: a finished function.
      args: series, one for each argument.
      known: as for `linearize`.

    Returns:
      series of the results, whose coefficients up to the builder's order are computed.
    """
    env = dict(zip(function.arguments, args))
    outer = b.location
    for node in function.nodes():
        b.at(node.location)
        xs = [env[v] for v in node.operands]
        have = [None] if known is None or node.op.functions else [known.get(r) for r in node.results]
        if have and all(y is not None for y in have):
            out = b.inner.bind_known(node.op, [x[0] for x in xs], node.params, have)
            ys = b.continued(node.op, xs, node.params, out if node.op.multiple_results else (out,))
        else:
            ys = b.bind(node.op, *xs, **node.params)
        for v, y in zip(node.results, ys if node.op.multiple_results else (ys,)):
            env[v] = y
            if b.whole:
                _ = y[b.order]  # in the order of the program: a long chain is no deep recursion
    b.at(outer)
    return [env[v] for v in function.outputs]


@transform
def jet_function(
    function: Function, active: tuple[bool, ...], order: int, instantiate: tuple[bool, ...] | None = None
) -> tuple[Function, list[bool]]:
    """`jet` with the function builder, memoised: of the arguments and then the coefficients 1 to `order` of each active one,
    to the results and then the coefficients of those that are not constant.

    instantiate: results whose coefficients are wanted even if zero.
    """
    key = ("jet", active, order, instantiate)
    if key not in function.memo:
        moving = [a for a, on in zip(function.in_avals, active) if on for _ in range(order)]
        made = Function([*function.in_avals, *moving], f"{function.name}_jet")
        b = FunctionBuilder(made)
        n = len(function.in_avals)
        series = SeriesBuilder(b, order)
        outs = jet(function, series.with_terms(made.arguments[:n], made.arguments[n:], active), series)
        there = [any(y[k] is not None for k in range(1, order + 1)) for y in outs]
        if instantiate is not None:
            there = [t or on for t, on in zip(there, instantiate)]
        terms = [t for y, on in zip(outs, there) if on for t in series.terms(y)]
        avals = [a for a, on in zip(function.out_avals, there) if on for _ in range(order)]
        made.finish([*[y[0] for y in outs], *terms], [*function.out_avals, *avals])
        function.memo[key] = made, there
    return function.memo[key]
