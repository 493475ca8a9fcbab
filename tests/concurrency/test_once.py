"""Once: one thread makes, the others wait; nobody waits for what somebody else wants."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sable._once import Once

PATIENCE = 60.0  # s


class Lasting(Exception):
    pass


class Shelf:
    """Where things are put once they are made, and how often they were."""

    def __init__(self):
        self.things, self.made = {}, []
        self.once = Once(lasting=(Lasting,))

    def get(self, key, make):
        def keep():
            self.made.append(key)
            self.things[key] = made = make()
            return made

        return self.once.get(key, lambda: self.things.get(key), keep)


def test_threads_that_want_the_same_get_one():
    shelf, begun, go_on = Shelf(), threading.Event(), threading.Event()

    def make():
        begun.set()
        assert go_on.wait(PATIENCE)
        return object()

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(shelf.get, "a", make) for _ in range(8)]
        assert begun.wait(PATIENCE)
        go_on.set()
        assert len({id(f.result()) for f in futures}) == 1
    assert shelf.made == ["a"]


def test_different_things_do_not_wait_for_each_other():
    shelf, both = Shelf(), threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:  # each is made only while the other is
        made = list(pool.map(lambda key: shelf.get(key, lambda: (key, both.wait(PATIENCE))[0]), "ab"))
    assert made == ["a", "b"]


@pytest.mark.parametrize(("error", "times"), [(Lasting("no"), 1), (KeyError("no"), 4), (KeyboardInterrupt(), 4)])
def test_errors_that_last_are_shared_and_others_are_tried_again(error, times):
    shelf, waiting = Shelf(), threading.Barrier(4)
    first, go_on = threading.Event(), threading.Event()

    def make():
        if not first.is_set():
            first.set()
            assert go_on.wait(PATIENCE)
        raise error

    def want():
        waiting.wait(PATIENCE)
        with pytest.raises(type(error)) as caught:
            shelf.get("a", make)
        return caught.value

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(want) for _ in range(4)]
        assert first.wait(PATIENCE)
        while shelf.once._under_way["a"]._condition._waiters.__len__() < 3:
            pass
        go_on.set()
        caught = [f.result() for f in futures]
    assert len(shelf.made) == times
    assert len({id(e) for e in caught}) == (4 if times == 1 else 1)  # a copy each, with a traceback of its own


def test_a_maker_that_wants_its_own_makes_it():
    shelf = Shelf()
    assert shelf.get("a", lambda: shelf.get("a", lambda: "inner") + " outer") == "inner outer"


def test_a_thing_made_between_look_and_claim_is_taken():
    once, answers = Once(), iter([None, "found"])
    assert once.get("a", lambda: next(answers), lambda: pytest.fail("made again")) == "found"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_does_not_wait_for_threads_of_its_parent():
    shelf, begun, go_on = Shelf(), threading.Event(), threading.Event()

    def make():
        begun.set()
        assert go_on.wait(PATIENCE)
        return "parent's"

    thread = threading.Thread(target=shelf.get, args=("a", make))
    thread.start()
    assert begun.wait(PATIENCE)
    child = os.fork()
    if child == 0:
        os._exit(0 if shelf.get("a", lambda: "child's") == "child's" else 1)
    assert os.waitpid(child, 0)[1] == 0
    go_on.set()
    thread.join()
    assert shelf.things == {"a": "parent's"}
