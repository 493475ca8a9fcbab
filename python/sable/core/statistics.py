"""What has been compiled, where it came from and how long it took."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sable._forks import new_lock

_LOCK = new_lock()


@dataclass
class Statistics:
    """What has been compiled, where it came from and how long it took (seconds), since the start or `reset`.

    Attributes:
      names: of the latest programs.
    """

    compiled: int = 0
    from_disk: int = 0
    from_memory: int = 0
    lower_seconds: float = 0.0
    compile_seconds: float = 0.0
    names: deque[str] = field(default_factory=lambda: deque(maxlen=256))

    @property
    def programs(self) -> int:
        """How many there were, from wherever."""
        return self.compiled + self.from_disk + self.from_memory

    def count(self, source: str, name: str, lower_seconds: float, compile_seconds: float) -> None:
        """One more program of that name: compiled now, or found in memory or on disk; any thread may say so."""
        with _LOCK:
            self.names.append(name)
            self.lower_seconds += lower_seconds
            self.compile_seconds += compile_seconds
            if source == "memory":
                self.from_memory += 1
            elif source == "disk":
                self.from_disk += 1
            else:
                self.compiled += 1

    def reset(self) -> None:
        """Start counting anew."""
        self.__init__()  # type: ignore[misc]


STATISTICS = Statistics()
