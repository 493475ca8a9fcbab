"""Indexing: `x[...]`, `x.at[...]`, and the functions that select elements by position or by condition."""
