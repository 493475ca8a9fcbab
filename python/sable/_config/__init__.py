"""Configuration: one object, `config`, and a context manager for each option that may differ for a while
(`sable._config.managers`).

A value comes from, first match wins: the context managers active in this thread, `config.update`, the
environment (`SABLE_ENABLE_X64`, else `JAX_ENABLE_X64`, for `jax_enable_x64`; the same pattern for every
option), the default. docs/options.md lists the options.

`config` is a `threading.local` whose *class* attributes hold the values that all threads share and whose
instance attributes hold what a thread has overridden: a read is then one attribute look-up in C (some 35 ns),
whether or not a context manager is active, and needs no lock.
"""

from .options import OPTIONS
from .state import Config, config

__all__ = ["OPTIONS", "Config", "config"]
