"""Random programs, run under JAX and under Sable: `python -m tests.differential` (`make fuzz`).

A program is data (`program`), drawn from a seed (`draw`) with the operations of `elementwise`, `structure`, `indexing`,
`contractions` and `loops`. For each value it is known how far two right computations of it may be apart (`bounds`):
values that are exact so far must be equal, and only they go into operations with jumps (comparisons, sorts, roundings).
`modes` runs programs eagerly, compiled, mapped, differentiated and as bodies of loops; `shrink` makes those that differ
short.
"""
