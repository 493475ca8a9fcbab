"""lit configuration: `lit -v tests/filecheck` from the root, with the Python and the filecheck that lit itself has."""

import sys
from pathlib import Path

import lit.formats

config.name = "sable"  # noqa: F821  (lit defines `config`)
config.test_format = lit.formats.ShTest(execute_external=False)  # noqa: F821
config.suffixes = [".mlir"]  # noqa: F821
config.excludes = ["Inputs"]  # noqa: F821
config.test_source_root = str(Path(__file__).parent)  # noqa: F821

root = Path(__file__).resolve().parents[2]
programs = Path(sys.executable).parent
config.test_exec_root = str(root / "build" / "filecheck")  # noqa: F821
config.substitutions += [  # noqa: F821
    ("%sable-opt", f"{sys.executable} -m sable.tools.sable_opt"),
    ("%iree-opt", str(programs / "iree-opt")),
    ("%irdl", str(root / "dialects" / "sable.irdl.mlir")),
    (r"\bfilecheck\b", str(programs / "filecheck")),
]
