"""Random programs, run under JAX and under Sable: `python -m tests.differential` (`make fuzz`).

A program is data (`program`), drawn from a seed (`draw`) with the operations of `elementwise`, `structure`, `indexing`,
`contractions` and `loops`. For each value it is known how far two right computations of it may be apart (`bounds`):
values that are exact so far must be equal, and only they go into operations with jumps (comparisons, sorts, roundings).
Every eighth program's inputs hold NaN, infinities, negative zeros and the ends of integer dtypes; no denormal numbers,
which count as zero where programs are compiled.

`modes` runs programs eagerly, compiled, mapped, differentiated and as bodies of loops. JAX compiles a program once: what
is expected of a mapped one or of a loop are its results for each example, and only types are asked of JAX in the mode
itself. Our side compiles a batch of programs as one, and in halves if that fails. `mixing` makes many eager programs of
the steps of a few, each step compiled once by JAX: a hundredth of the cost. `shrink` makes programs that differ short.

In CI `test_programs` runs some of each mode. A longer run: `make fuzz COUNT=1000 SEED=5000 MODE=jit`; its seeds give the
same programs until operations are added. A fault found gets its test where its subject has its tests, not here.
"""
