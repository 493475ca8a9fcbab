"""Things that are made once though several threads want them: one thread makes, the others wait for it."""

from __future__ import annotations

import copy
import threading
import weakref
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from sable._forks import in_child

T = TypeVar("T")


class _Making(Future):
    """A thing under way, and the thread that makes it."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()


class Once(Generic[T]):
    """What is being made now, by key. Different keys are made at a time.

    A maker must not want what another thread may be making in the same `Once`: two that wait for each other wait for ever.

    Args:
      lasting: errors that would come again; those who wait get a copy, and make the thing themselves after any other
        (an interruption of the maker's thread is not theirs).
    """

    def __init__(self, lasting: tuple[type[Exception], ...] = ()) -> None:
        self._lasting = lasting
        self._under_way: dict[Hashable, _Making] = {}
        _INSTANCES.add(self)

    def get(self, key: Hashable, find: Callable[[], T | None], make: Callable[[], T]) -> T:
        """What `find` finds, else what `make` makes, in this thread or in one that has begun already.

        Args:
          key: equal for what is the same.
          find: looks where `make` puts it; None for nothing there.
          make: makes it, and puts it where `find` looks.

        Raises:
          Exception: what `make` raised.
        """
        while True:
            found = find()
            if found is not None:
                return found
            mine = _Making()
            making = self._under_way.setdefault(key, mine)  # atomic under the GIL
            if making is mine:
                return self._make(key, mine, find, make)
            if making.thread == mine.thread:  # a signal handler or a finaliser in the middle of it
                return make()
            error = making.exception()
            if error is None:
                return making.result()
            if isinstance(error, self._lasting):
                raise copy.copy(error) from None

    def _make(self, key: Hashable, mine: _Making, find: Callable[[], T | None], make: Callable[[], T]) -> T:
        try:
            found = find()  # another thread may have ended between the look and the claim
            made = make() if found is None else found
        except BaseException as error:
            self._under_way.pop(key, None)
            mine.set_exception(error)
            raise
        self._under_way.pop(key, None)
        mine.set_result(made)
        return made


_INSTANCES: weakref.WeakSet[Once] = weakref.WeakSet()


@in_child
def _forget_threads() -> None:
    """In a forked process: the threads that were making something are not there."""
    for once in _INSTANCES:
        once._under_way.clear()
