"""Events and who listens to them (the interface of `jax.monitoring`): programs report, listeners are called at once.

Sable itself reports the seconds of tracing and compiling, by the names that JAX gives to these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Listener = Callable[..., Any]

_EVENTS: list[Listener] = []
_DURATIONS: list[Listener] = []
_SPANS: list[Listener] = []
_SCALARS: list[Listener] = []


def record_event(event: str, **kwargs: Any) -> None:
    """Tell that something happened: listeners are called with the event's name and the keywords."""
    for listener in _EVENTS:
        listener(event, **kwargs)


def record_event_duration_secs(event: str, duration: float, **kwargs: Any) -> None:
    """Tell how many seconds something took."""
    for listener in _DURATIONS:
        listener(event, duration, **kwargs)


def record_event_time_span(event: str, start_time: float, end_time: float, **kwargs: Any) -> None:
    """Tell when something began and ended, in seconds."""
    for listener in _SPANS:
        listener(event, start_time, end_time, **kwargs)


def record_scalar(event: str, value: float, **kwargs: Any) -> None:
    """Tell a number."""
    for listener in _SCALARS:
        listener(event, value, **kwargs)


def register_event_listener(callback: Listener) -> None:
    """Have a function called at each `record_event`, with its arguments."""
    _EVENTS.append(callback)


def register_event_duration_secs_listener(callback: Listener) -> None:
    """Have a function called at each `record_event_duration_secs`, with its arguments."""
    _DURATIONS.append(callback)


def register_event_time_span_listener(callback: Listener) -> None:
    """Have a function called at each `record_event_time_span`, with its arguments."""
    _SPANS.append(callback)


def register_scalar_listener(callback: Listener) -> None:
    """Have a function called at each `record_scalar`, with its arguments."""
    _SCALARS.append(callback)


def _remove(listeners: list[Listener], callback: Listener) -> None:
    if callback not in listeners:
        raise ValueError(f"{callback} was not registered")
    listeners.remove(callback)


def unregister_event_listener(callback: Listener) -> None:
    """Undo `register_event_listener`. Raises ValueError where the function was not registered."""
    _remove(_EVENTS, callback)


def unregister_event_duration_listener(callback: Listener) -> None:
    """Undo `register_event_duration_secs_listener`. Raises ValueError where the function was not registered."""
    _remove(_DURATIONS, callback)


def unregister_event_time_span_listener(callback: Listener) -> None:
    """Undo `register_event_time_span_listener`. Raises ValueError where the function was not registered."""
    _remove(_SPANS, callback)


def unregister_scalar_listener(callback: Listener) -> None:
    """Undo `register_scalar_listener`. Raises ValueError where the function was not registered."""
    _remove(_SCALARS, callback)


def clear_event_listeners() -> None:
    """Nobody listens any more."""
    for listeners in (_EVENTS, _DURATIONS, _SPANS, _SCALARS):
        listeners.clear()


__all__ = [
    "clear_event_listeners",
    "record_event",
    "record_event_duration_secs",
    "record_event_time_span",
    "record_scalar",
    "register_event_duration_secs_listener",
    "register_event_listener",
    "register_event_time_span_listener",
    "register_scalar_listener",
    "unregister_event_duration_listener",
    "unregister_event_listener",
    "unregister_event_time_span_listener",
    "unregister_scalar_listener",
]
