"""Write the table of all options from their definitions: `python -m sable.tools.option_table [--write FILE]`."""

from __future__ import annotations

import sys

from sable._config import OPTIONS
from sable._config.option import Option

from ._document import command

_HEAD = """# Options

{count} options of JAX 0.10.2 (and `jax_default_dtype_bits` of earlier versions), written by `make docs` from their
definitions in `python/sable/_config/`. `jax.config.update(name, value)` sets one for all threads, the environment variable
`SABLE_...` or `JAX_...` (the name without `jax_`, in capitals) at the start, a context manager such as `jax.debug_nans()`
for a while in one thread. *In the key*: the value decides what a traced function contains, so that a jitted function is
traced again under another one. *Watched*: while the option is on, eager calls and calls of jitted functions do without
their shortcuts.

## Options that do something

| option | default | what it does | in the key | watched |
|---|---|---|---|---|
{acted}
## Options that cannot apply

They accept their default, and the values named here; another value is refused, with the reason.

| option | accepted | why another value is refused |
|---|---|---|
{refused}"""


def _acted(option: Option) -> str:
    marks = ["yes" if mark else "" for mark in (option.traced, option.watched)]
    return f"| `{option.name}` | `{option.default!r}` | {option.help} | {marks[0]} | {marks[1]} |\n"


def _refused(option: Option) -> str:
    accepted = ", ".join(f"`{value!r}`" for value in option.accepted)
    return f"| `{option.name}` | {accepted} | {option.refusal} |\n"


def table() -> str:
    """The document."""
    rows = sorted(OPTIONS.values(), key=lambda option: option.name)
    acted = "".join(_acted(o) for o in rows if not o.refusal)
    refused = "".join(_refused(o) for o in rows if o.refusal)
    return _HEAD.format(count=len(rows), acted=acted, refused=refused)


main = command("option_table", __doc__, table)

if __name__ == "__main__":
    sys.exit(main())
