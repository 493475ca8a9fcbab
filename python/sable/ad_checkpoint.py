"""The names of `jax.ad_checkpoint`."""

from sable import checkpoint_policies
from sable.api.checkpoint import checkpoint, checkpoint_name

remat = checkpoint

__all__ = ["checkpoint", "checkpoint_name", "checkpoint_policies", "remat"]
