"""Compiled modules by key: in memory, and in files that all processes of a user share.

A file is a header line (JSON: format, key, digest of the rest, rung), a newline and the .vmfb. It is written
under a temporary name and moved into place, so that a reader sees all of it or none; the digest finds what a
full disk, a crash or a stranger did to it. A file that is not as it should be is removed, and the module
compiled again: the cache may lose, never lie, and never fails a program.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sable._forks import new_lock

#: Raised with each change of the format of a file or of what the compile server does to a module.
FORMAT = 1

#: Bytes on disk: some ten thousand modules of a hundred kilobytes.
DEFAULT_DISK_BYTES = 2 << 30
#: Bytes in memory. The runtime keeps the loaded programs; these are for contexts made anew and for tests.
DEFAULT_MEMORY_BYTES = 256 << 20
#: An eviction frees this share more than it must, so that the next write does not evict again.
_SLACK = 0.1
#: Writes after which the folder is measured anew: other processes write to it too.
_WRITES_PER_MEASUREMENT = 64
#: Seconds after which a temporary file belongs to a process that died.
_STALE_SECONDS = 3600.0
#: Reproducers kept in `failed/`.
_KEPT_REPRODUCERS = 20

_SUFFIX = ".vmfb"
_TEMPORARY = ".writing-"


@dataclass(frozen=True)
class Entry:
    """A compiled module, and the name of the rung that compiled it."""

    vmfb: bytes
    rung: str


@dataclass(frozen=True)
class Keeping:
    """What a compile asks of the disk cache.

    Attributes:
      enabled: read and write files.
      directory: their folder; None for that of the process's `CacheSettings`.
      limit: bound of the files' sizes in bytes, 0 for none; -1 for that of the `CacheSettings`.
      min_seconds: the shortest compile whose result is written.
      min_bytes: the smallest result that is written.
      strict: raise what the file system says; else it is a warning once, or a miss.
    """

    enabled: bool = True
    directory: str | None = None
    limit: int = -1
    min_seconds: float = 0.0
    min_bytes: int = 0
    strict: bool = False


@dataclass(frozen=True)
class CacheSettings:
    """Where and how much to keep.

    Attributes:
      directory: folder of the disk cache; None for none.
      disk_bytes: bound of the files' sizes.
      memory_bytes: bound of the copies in memory.
    """

    directory: Path | None
    disk_bytes: int = DEFAULT_DISK_BYTES
    memory_bytes: int = DEFAULT_MEMORY_BYTES

    @classmethod
    def from_environment(cls) -> CacheSettings:
        """SABLE_CACHE_DIR ('' or 'off' for none; else ~/.cache/sable) and SABLE_CACHE_SIZE (bytes).

        Raises:
          ValueError: SABLE_CACHE_SIZE is not a number of bytes.
        """
        text = os.environ.get("SABLE_CACHE_SIZE", str(DEFAULT_DISK_BYTES))
        if not text.strip().isdigit():
            raise ValueError(f"expected SABLE_CACHE_SIZE as a number of bytes, got {text!r}")
        return cls(_directory_from_environment(), int(text))


def _directory_from_environment() -> Path | None:
    named = os.environ.get("SABLE_CACHE_DIR")
    if named is not None:
        return None if named.strip().lower() in ("", "off") else Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    with contextlib.suppress(RuntimeError):  # a user without a home
        return Path(base) / "sable" if base else Path.home() / ".cache" / "sable"
    return None


class MemoryCache:
    """The entries used last, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._size = 0
        self._lock = new_lock()

    def get(self, key: str) -> Entry | None:
        """The entry of that key, which counts as used now, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keep the entry; the ones unused for longest go."""
        if len(entry.vmfb) > self._limit:
            return
        with self._lock:
            old = self._entries.pop(key, None)
            self._size += len(entry.vmfb) - (len(old.vmfb) if old else 0)
            self._entries[key] = entry
            while self._size > self._limit:
                self._size -= len(self._entries.popitem(last=False)[1].vmfb)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._size = 0

    def usage(self) -> tuple[int, int]:
        """Number of entries, and their bytes."""
        with self._lock:
            return len(self._entries), self._size


class DiskCache:
    """The files of compiled modules under a folder. No method raises for what the file system does, unless `strict`."""

    def __init__(self, directory: Path, limit: int, strict: bool = False) -> None:
        self._strict = strict
        self._root = directory
        self._limit = limit
        self._lock = new_lock()
        self._size: int | None = None  # bytes in the folder as far as this process knows; None before the first write
        self._writes = 0
        self._warned = False

    def get(self, key: str) -> Entry | None:
        """The entry of that key, which counts as used now, or None; a damaged file is removed."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError:  # not readable, which a write will report
            if self._strict:
                raise
            return None
        entry = _decode(key, data)
        if entry is None:
            _remove(path)
            return None
        with contextlib.suppress(OSError):  # a read-only folder still serves
            os.utime(path)
        return entry

    def put(self, key: str, entry: Entry) -> None:
        """Write the entry, and remove the ones unused for longest if there is too much."""
        data = _encode(key, entry)
        if len(data) > self._limit or not self._write(self._path(key), data):
            return
        with self._lock:
            self._writes += 1
            if self._size is not None:
                self._size += len(data)
            if self._size is None or self._size > self._limit or self._writes % _WRITES_PER_MEASUREMENT == 0:
                self._size = self._evict()

    def keep_reproducer(self, key: str, files: dict[str, bytes]) -> list[Path]:
        """Write the files (suffix: content) of a failed compile to `failed/`; [] where that cannot be."""
        folder = self._root / "failed"
        paths = {folder / f"{key[:16]}{suffix}": content for suffix, content in files.items()}
        if not all(self._write(path, content) for path, content in paths.items()):
            return []
        for old in _by_age(folder)[: -_KEPT_REPRODUCERS * len(files)]:
            _remove(old)
        return list(paths)

    def clear(self) -> None:
        """Remove all entries and reproducers."""
        for path in [*self._files(), *_by_age(self._root / "failed")]:
            _remove(path)
        with self._lock:
            self._size = None

    def usage(self) -> tuple[int, int]:
        """Number of files, and their bytes."""
        sizes = [status.st_size for path in self._files() if (status := _status(path)) is not None]
        return len(sizes), sum(sizes)

    def _path(self, key: str) -> Path:
        # 256 folders: file systems slow down with a hundred thousand files in one
        return self._root / f"v{FORMAT}" / key[:2] / f"{key[2:]}{_SUFFIX}"

    def _files(self) -> Iterator[Path]:
        return self._root.glob(f"v*/*/*{_SUFFIX}")

    def _write(self, path: Path, data: bytes) -> bool:
        """Put a file in place, whole; False, and a warning the first time, if that is not possible."""
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except OSError as error:
            if temporary is not None:
                _remove(Path(temporary))
            if self._strict:
                raise
            self._warn(error)
            return False
        return True

    def _warn(self, error: OSError) -> None:
        if self._warned:
            return
        self._warned = True
        warnings.warn(
            f"compiled programs are not kept on disk, because {self._root} cannot be written to ({error}); "
            "set SABLE_CACHE_DIR to another folder, or to 'off'",
            RuntimeWarning,
            stacklevel=2,
        )

    def _evict(self) -> int:
        """Remove what was unused for longest until the bound holds; the bytes that are left."""
        self._remove_stale()
        known = [(status.st_mtime, status.st_size, path) for path in self._files() if (status := _status(path))]
        size = sum(entry[1] for entry in known)
        if size <= self._limit:
            return size
        for _, bytes_freed, path in sorted(known, key=lambda entry: entry[0]):
            if size <= self._limit * (1 - _SLACK):
                break
            _remove(path)
            size -= bytes_freed
        return size

    def _remove_stale(self) -> None:
        for path in [*self._root.glob(f"v*/*/{_TEMPORARY}*"), *self._root.glob(f"failed/{_TEMPORARY}*")]:
            status = _status(path)
            if status is not None and time.time() - status.st_mtime > _STALE_SECONDS:
                _remove(path)


def _encode(key: str, entry: Entry) -> bytes:
    digest = hashlib.sha256(entry.vmfb).hexdigest()
    header = {"format": FORMAT, "key": key, "sha256": digest, "rung": entry.rung}
    return json.dumps(header).encode() + b"\n" + entry.vmfb


def _decode(key: str, data: bytes) -> Entry | None:
    """The entry in a file's bytes; None where they are torn, of another key, or no file of ours."""
    line, newline, vmfb = data.partition(b"\n")
    try:
        header = json.loads(line)
    except ValueError:  # covers bytes that are no text
        return None
    if not newline or not isinstance(header, dict):
        return None
    if header.get("format") != FORMAT or header.get("key") != key:
        return None
    if header.get("sha256") != hashlib.sha256(vmfb).hexdigest():
        return None
    return Entry(vmfb, str(header.get("rung", "")))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # another process was faster, or has it open (Windows)
        path.unlink()


def _status(path: Path) -> os.stat_result | None:
    with contextlib.suppress(OSError):  # another process removed it since it was listed
        return path.stat()
    return None


def _by_age(folder: Path) -> list[Path]:
    """The files of a folder, oldest first; none where there is no such folder."""
    with contextlib.suppress(OSError):
        known = [(status.st_mtime, path) for path in folder.iterdir() if (status := _status(path))]
        return [path for _, path in sorted(known)]
    return []
