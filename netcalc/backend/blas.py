"""How many threads the matrix library under NumPy takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@cache
def _libraries() -> list[Any]:
    every = ThreadpoolController().lib_controllers
    return [library for library in every if library.user_api == "blas"]


def _set(library: Any, count: int) -> None:
    # since 3.7 or so threadpoolctl lets one thread of Python alone change the number, and ignores the others
    change = getattr(library, "_real_set_num_threads", library.set_num_threads)
    change(count)


class _Single:
    """The number is the whole process's: the first that wants one thread sets it, the last sets it back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users: set[object] = set()
        self._before: list[int] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def enter(self, user: object) -> None:
        with self._lock:
            self._users.add(user)
            if len(self._users) == 1:
                self._before = [library.get_num_threads() for library in _libraries()]
                for library in _libraries():
                    _set(library, 1)

    def leave(self, user: object) -> None:
        with self._lock:
            if self._users == {user}:
                self._restore()
            self._users.discard(user)

    def _restore(self) -> None:
        for library, count in zip(_libraries(), self._before, strict=True):
            _set(library, count)

    def _forked(self) -> None:
        """In a copy of the process, whose other threads are gone whatever they held."""
        self._lock = Lock()
        if self._users:
            self._users.clear()
            self._restore()


_single = _Single()


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """A context in which matrix products take one thread, since those that ask for them are many."""
    user = object()
    try:
        _single.enter(user)
        yield
    finally:
        _single.leave(user)
