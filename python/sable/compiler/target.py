"""What is compiled for: a platform and its details, and the flags that say so to IREE."""

from __future__ import annotations

import functools
import hashlib
import platform as host_platform
from dataclasses import dataclass
from typing import Literal

Platform = Literal["cpu", "vulkan", "cuda"]
_PLATFORMS = ("cpu", "vulkan", "cuda")

#: Bytes of /proc/cpuinfo that hold the entry of one processor: reading those of 256 takes 10 ms.
_CPUINFO_BYTES = 1 << 14


@dataclass(frozen=True)
class Target:
    """A kind of device to compile for.

    Attributes:
      platform: 'cpu', 'vulkan' or 'cuda'.
      cpu: LLVM's name of the processor; 'host' is this machine's, 'generic' any of the architecture.
      triple: LLVM target triple to cross-compile for, such as 'aarch64-unknown-linux-gnu'; '' is this
        machine's.
      features: LLVM processor features, such as '+m,+a,+f,+d,+c'; '' takes those of `cpu`.
      abi: LLVM ABI name, such as 'lp64d' on RISC-V; '' is the default of the triple.
      vulkan: Vulkan target of IREE, such as 'llvmpipe' (lavapipe), 'ampere', 'rdna3'. Always named, because
        IREE's default target gave silently wrong f16, i8 and bool results on lavapipe.
      cuda: compute capability, such as 'sm_80'; the driver translates to newer devices.

    Raises:
      ValueError: the platform is unknown, or another machine's code is asked for on the host's processor.
    """

    platform: Platform = "cpu"
    cpu: str = "host"
    triple: str = ""
    features: str = ""
    abi: str = ""
    vulkan: str = "llvmpipe"
    cuda: str = "sm_80"

    def __post_init__(self) -> None:
        if self.platform not in _PLATFORMS:
            raise ValueError(f"expected a platform of {', '.join(_PLATFORMS)}, got {self.platform!r}")
        if self.platform == "cpu" and self.triple and self.cpu == "host":
            raise ValueError(
                f"the triple {self.triple!r} names a machine, for which this one's processor (cpu='host') "
                "may be unfit; name the processor, or give cpu='generic'"
            )

    @property
    def is_host(self) -> bool:
        """Whether the code is for the very machine that compiles it."""
        return self.platform == "cpu" and self.cpu == "host"

    def flags(self) -> tuple[str, ...]:
        """The flags of IREE that select the device; those of optimisation and linking are the ladder's."""
        if self.platform == "vulkan":
            return ("--iree-hal-target-device=vulkan", f"--iree-vulkan-target={self.vulkan}")
        if self.platform == "cuda":
            return ("--iree-hal-target-device=cuda", f"--iree-cuda-target={self.cuda}")
        optional = (
            ("--iree-llvmcpu-target-triple", self.triple),
            ("--iree-llvmcpu-target-cpu-features", self.features),
            ("--iree-llvmcpu-target-abi", self.abi),
        )
        return (
            "--iree-hal-target-device=local",
            "--iree-hal-local-target-device-backends=llvm-cpu",
            f"--iree-llvmcpu-target-cpu={self.cpu}",
            *(f"{flag}={value}" for flag, value in optional if value),
        )

    def identity(self) -> str:
        """A text that differs wherever the code may have to: part of the key of the disk cache."""
        machine = host_identity() if self.platform == "cpu" and not self.triple else ""
        return " ".join((*self.flags(), machine))

    def __str__(self) -> str:
        if self.platform == "vulkan":
            return f"vulkan ({self.vulkan})"
        if self.platform == "cuda":
            return f"cuda ({self.cuda})"
        return f"cpu ({' '.join(part for part in (self.triple, self.cpu, self.features) if part)})"


@functools.cache
def host_identity() -> str:
    """What tells this machine's processor from others: code for one may be illegal on another.

    A folder of cached programs may be shared by machines (a home on the network), so that the name of the
    architecture does not suffice.
    """
    parts = [host_platform.system(), host_platform.machine(), *_processor_lines()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _processor_lines() -> list[str]:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            text = file.read(_CPUINFO_BYTES)
    except OSError:  # not Linux
        return [host_platform.processor(), host_platform.version()]
    first = text.split("\n\n", 1)[0]
    varying = (
        "processor",
        "cpu MHz",
        "bogomips",
        "BogoMIPS",
        "core id",
        "apicid",
        "initial apicid",
        "physical id",
    )
    return [line for line in first.splitlines() if line.split(":")[0].strip() not in varying]
