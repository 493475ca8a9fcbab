"""Values of users, in a thread, on which traces depend as they do on options."""

from __future__ import annotations

from typing import Any

from .state import Config, config


class Context:
    """A value that is part of the key of every trace: under another value functions are traced again.

    Args:
      default: the value where nobody sets another.

    Example:
      >>> precise = Context(False)
      >>> with precise(True):
      ...     precise.value
      True
    """

    __slots__ = ("default",)

    def __init__(self, default: Any = None) -> None:
        self.default = default

    @property
    def value(self) -> Any:
        """The value in this thread."""
        return next((value for context, value in config.contexts if context is self), self.get_global())

    def get_global(self) -> Any:
        """The value in threads that set no other."""
        return next((value for context, value in Config.shared_contexts if context is self), self.default)

    def set_global(self, value: Any) -> None:
        """Set the value of all threads that set no other; it is hashable."""
        config.share("shared_contexts", self._among(Config.shared_contexts, value))

    def set_local(self, value: Any) -> None:
        """Set the value of this thread for good; it is hashable."""
        config.override("contexts", self._among(config.contexts, value))

    def _among(self, contexts: tuple, value: Any) -> tuple:
        others = tuple((context, other) for context, other in contexts if context is not self)
        hash(value)  # TypeError here, not where a key is made
        return (*others, (self, value))

    def __call__(self, value: Any) -> Setting:
        """A context manager in which, in this thread, the value is this one."""
        return Setting(self, value)


class Setting:
    """A context's value, in this thread, during a `with` block."""

    __slots__ = ("_context", "_previous", "_value")

    def __init__(self, context: Context, value: Any) -> None:
        self._context, self._value = context, value
        self._previous: list[Any] = []

    def __enter__(self) -> None:
        contexts = self._context._among(config.contexts, self._value)
        self._previous.append(config.override("contexts", contexts))

    def __exit__(self, *_exception: Any) -> None:
        config.restore("contexts", self._previous.pop())


def make_user_context(default_value: Any = None) -> Context:
    """A value in a thread under which functions are traced: jitted functions are traced again for each of its values.

    Args:
      default_value: the value where nobody sets another; hashable, as all its values.

    Example:
      >>> import sable as jax
      >>> scale = jax.make_user_context(1)
      >>> f = jax.jit(lambda x: x * scale.value)
      >>> with scale(3):
      ...     print(f(2))
      6
      >>> print(f(2))
      2
    """
    return Context(default_value)
