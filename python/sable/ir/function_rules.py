"""Rules of ops that name functions: calls, loops, branches, custom derivatives, host calls.

Such an op cannot be transformed operand by operand: its function is transformed, and the op bound to the result. The
rules stand beside the row, below the passes; what the passes and the evaluation can do to a function is handed to them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol


class Transforms(Protocol):
    """What the passes do to a function that an op names; all memoised on the function."""

    def linearize_function(
        self, function: Any, active: tuple[bool, ...], instantiate: Any = None, keep: Any = None
    ) -> Any:
        """`.forward`: results, then residuals; `.linear`: active tangents, then residuals, to tangents of the results
        that `.active` marks (those of `instantiate` even if zero); `.residuals`: their number. `keep`: see `linearize`."""
        ...

    def jvp_function(self, function: Any, active: tuple[bool, ...], instantiate: Any = None) -> tuple[Any, list[bool]]:
        """The function of arguments and active tangents to results and tangents, and which results have one."""
        ...

    def transpose_function(self, function: Any, linear: tuple[bool, ...], nonzero: tuple[bool, ...]) -> Any:
        """The function of the other arguments and the non-zero cotangents to cotangents of the linear arguments."""
        ...

    def batch_function(
        self, function: Any, mapped: tuple[bool, ...], size: int, axis_name: Any = None, force: Any = None
    ) -> tuple[Any, list[bool]]:
        """The function of a whole batch (axis 0), and which results are mapped (those of `force` in any case)."""
        ...

    def checked_function(self, function: Any, kinds: tuple, enabled: frozenset) -> Any:
        """`.function`: of values of errors of these kinds and the arguments, to such of `.kinds` and the results; `.codes`."""
        ...

    def jet(self, function: Any, args: Sequence[Any], b: Any) -> list[Any]:
        """The results on series, by their builder."""
        ...

    def jet_function(
        self, function: Any, active: tuple[bool, ...], order: int, instantiate: Any = None
    ) -> tuple[Any, list[bool]]:
        """The function of arguments and coefficients of the active ones to results and coefficients, and which have some."""
        ...


class Evaluator(Protocol):
    """What evaluation on arrays offers to an op that names functions."""

    def run(self, function: Any, values: Sequence[Any]) -> list[Any]:
        """Call a function on arrays, compiled."""
        ...

    def run_on_host(self, callback: Any, values: Sequence[Any]) -> tuple[Any, ...]:
        """Call a function of the host on arrays."""
        ...

    def compiled(self, op: Any, values: Sequence[Any], params: dict) -> Any:
        """The op itself on arrays, compiled as a program of one op."""
        ...


class FunctionRules(ABC):
    """How an op that names functions is transformed, lowered, evaluated, checked and tested: every method is required.

    `passes` are the `Transforms`, `node` has the op, its parameters, results and location.

    Attributes:
      calls: the parameter naming the function that the op is nothing but a call of, if it is one.
      forward, reverse: False where that mode is refused, with an error in the user's terms.
    """

    calls: str | None = None
    forward: bool = True
    reverse: bool = True

    @abstractmethod
    def linearize(self, passes: Transforms, two: Any, node: Any, xs: Any, tangents: Any) -> tuple[Any, Any]:
        """Results, and their tangents (None where zero).

        Args:
          two: `two.inner` is the builder of known values; `two.linear` builds the linear function;
            `two.residual(x)` is a known value in it; `two` itself takes values of both kinds (`two.known(x)`).
          xs: operands, values of `two.inner`, as are the results.
          tangents: values of `two.linear`, None where zero.
        """

    @abstractmethod
    def jvp(self, passes: Transforms, b: Any, node: Any, xs: Any, tangents: Any) -> tuple[Any, Any]:
        """Results and their tangents (None where zero)."""

    @abstractmethod
    def transpose(self, passes: Transforms, b: Any, node: Any, on: Any, xs: Any, cotangents: Any) -> Any:
        """Cotangents of the operands that `on` marks as linear (None for others and zeros); `xs`: None for these."""

    @abstractmethod
    def batch(
        self, passes: Transforms, b: Any, node: Any, size: int, xs: Any, on: Any, axis_name: Any
    ) -> tuple[Any, Any]:
        """Results and which of them are mapped; `on` marks the mapped operands, axis 0 is the batch's."""

    def check(self, passes: Transforms, b: Any, node: Any, xs: Any, errors: Any) -> Any:
        """The results, with `errors` (`passes.checkify.Errors`) handed through the functions; here they are not looked into."""
        return b.bind(node.op, *xs, **node.params)

    def jet(self, passes: Transforms, b: Any, node: Any, xs: Any) -> Any:
        """The results on series (`passes.jet`); None: by their derivative, which is that of `jvp`, again and again."""
        return None

    @abstractmethod
    def lower(self, b: Any, *operands: Any, **params: Any) -> tuple[Any, ...]:
        """The results in StableHLO, by the lowering's builder: `b.inline(function, operands)`, `b.structured`,
        `b.region`, `b.host`."""

    @abstractmethod
    def evaluate(self, core: Evaluator, op: Any, values: Sequence[Any], params: dict) -> tuple[Any, ...]:
        """The results on arrays."""

    @abstractmethod
    def verify(self, operands: Sequence[Any], **params: Any) -> None:
        """Check what the row's `type` does not, since tracing cannot get it wrong: parsed modules can.

        Args:
          operands: abstract values.
          params: the functions as anything with `name`, `in_avals`, `out_avals`.

        Raises:
          ValueError: says what was expected and what came.
        """

    @abstractmethod
    def samples(self) -> Sequence[Any]:
        """Inputs for the generated tests, as for every row; a `Sample` whose parameters hold functions."""
