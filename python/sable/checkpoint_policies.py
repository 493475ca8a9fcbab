"""What `checkpoint` keeps for the derivative: `jax.checkpoint_policies`.

A policy is called with an op (`op.name`), its operands' abstract values and its parameters, and says whether its result
is kept; everything else is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sable.dialects.ops.checkpoint import EitherPolicy, Policy

__all__ = [
    "checkpoint_dots",
    "checkpoint_dots_with_no_batch_dims",
    "dots_saveable",
    "dots_with_no_batch_dims_saveable",
    "everything_saveable",
    "nothing_saveable",
    "offload_dot_with_no_batch_dims",
    "save_and_offload_only_these_names",
    "save_any_names_but_these",
    "save_anything_except_these_names",
    "save_from_both_policies",
    "save_only_these_names",
]

#: Keep all that the derivative needs, as without `checkpoint`.
everything_saveable = Policy("everything_saveable")
#: Keep the arguments only.
nothing_saveable = Policy("nothing_saveable")
#: Keep results of contractions and convolutions.
dots_saveable = checkpoint_dots = Policy("dots_saveable")
#: Keep results of contractions without batch dimensions: those with weights.
dots_with_no_batch_dims_saveable = checkpoint_dots_with_no_batch_dims = Policy("dots_with_no_batch_dims_saveable")


def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
    """Keep values that `checkpoint_name` has given one of these names."""
    return Policy("save_only_these_names", names_which_can_be_saved)


def save_any_names_but_these(*names_not_to_save: str) -> Policy:
    """Keep values that `checkpoint_name` has named, but not those of these names."""
    return Policy("save_any_names_but_these", names_not_to_save)


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """Keep every value, named or not, but those of these names."""
    return Policy("save_anything_except_these_names", names_not_to_save)


def save_from_both_policies(policy_1: Callable[..., bool], policy_2: Callable[..., bool]) -> EitherPolicy:
    """Keep what either policy keeps."""
    return EitherPolicy(policy_1, policy_2)


def offload_dot_with_no_batch_dims(offload_src: str, offload_dst: str) -> Policy:
    """Keep results of contractions without batch dimensions, in the memory they are in.

    Args:
      offload_src, offload_dst: names of memories. On a CPU device memory is the host's: there is nothing to be moved.
    """
    return dots_with_no_batch_dims_saveable


def save_and_offload_only_these_names(
    *,
    names_which_can_be_saved: Sequence[str],
    names_which_can_be_offloaded: Sequence[str],
    offload_src: str,
    offload_dst: str,
) -> Policy:
    """Keep values that `checkpoint_name` has given one of these names, all in the memory they are in.

    Args:
      names_which_can_be_saved, names_which_can_be_offloaded: names, none of them in both.
      offload_src, offload_dst: names of memories, see `offload_dot_with_no_batch_dims`.

    Raises:
      ValueError: a name is in both.
    """
    both = sorted(set(names_which_can_be_saved) & set(names_which_can_be_offloaded))
    if both:
        raise ValueError(f"names are either saved or offloaded; given for both: {', '.join(both)}")
    return save_only_these_names(*names_which_can_be_saved, *names_which_can_be_offloaded)
