"""The loggers: 'sable', and below it one for each module that logs."""

from __future__ import annotations

import logging
import sys
from typing import Any

from .state import config, when_updated

ROOT = "sable"
_FORMAT = "%(levelname)s:%(asctime)s:%(name)s:%(lineno)d: %(message)s"
#: The handler to stderr, which is there while one of the logging options asks for it.
_HANDLER = logging.StreamHandler(sys.stderr)
_HANDLER.setFormatter(logging.Formatter(_FORMAT))
#: Modules that `jax_debug_log_modules` has put to DEBUG, with the levels that they had.
_raised: dict[str, int] = {}


def log_compiles_level() -> int:
    """At which level tracing and compiling are logged: WARNING where `jax_log_compiles` is on, else DEBUG."""
    return logging.WARNING if config.jax_log_compiles else logging.DEBUG


def _attach() -> None:
    wanted = _raised or config.jax_logging_level not in (None, "NOTSET")
    logger = logging.getLogger(ROOT)
    if not wanted:
        logger.removeHandler(_HANDLER)
    elif _HANDLER not in logger.handlers:
        logger.addHandler(_HANDLER)


def _set_level(level: Any) -> None:
    logging.getLogger(ROOT).setLevel(level or "NOTSET")
    _attach()


def _set_modules(names: Any) -> None:
    for name, level in _raised.items():
        logging.getLogger(name).setLevel(level)
    _raised.clear()
    for name in filter(None, (n.strip() for n in (names or "").split(","))):
        # programs written for JAX name its package
        name = ROOT + name.removeprefix("jax") if name == "jax" or name.startswith("jax.") else name
        _raised[name] = logging.getLogger(name).level
        logging.getLogger(name).setLevel(logging.DEBUG)
    _attach()


when_updated("jax_logging_level", _set_level)
when_updated("jax_debug_log_modules", _set_modules)
