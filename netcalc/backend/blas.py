"""How many threads the matrix library under NumPy takes."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def blas_threads(count: int | None) -> AbstractContextManager[Any]:
    """A context in which matrix products take so many threads, None for as many as before."""
    limited: AbstractContextManager[Any] = _controller().limit(limits=count, user_api="blas")
    return limited
