"""The cache of compiled programs (the interface of `jax.experimental.compilation_cache`)."""
