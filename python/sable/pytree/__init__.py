"""Pytrees: nested containers flattened to leaves. `registry` is the entry; the work is the native module's, or `pure`'s."""
