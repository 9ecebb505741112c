"""The matrix library that NumPy brings, and how many threads it takes."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def blas_threads(count: int) -> AbstractContextManager[Any]:
    """A context in which matrix products take so many threads; it ends as it began."""
    limited: AbstractContextManager[Any] = _controller().limit(limits=count, user_api="blas")
    return limited
