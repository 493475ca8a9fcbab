"""The names of `jax.ad_checkpoint`."""

from sable import checkpoint_policies
from sable.api.checkpoint import checkpoint, checkpoint_name
from sable.api.residuals import print_saved_residuals, saved_residuals

remat = checkpoint

__all__ = ["checkpoint", "checkpoint_name", "checkpoint_policies", "print_saved_residuals", "remat", "saved_residuals"]
