"""The types of decorated functions: calls with the parameters of the prompt function, and the method `map`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, Never, ParamSpec, Protocol, TypeVar, Unpack, overload

if TYPE_CHECKING:
    from typing import Self

    from ..batch import AsyncRowResults, MapOptions, RowResults, Rows

_P = ParamSpec("_P")
_MethodP = ParamSpec("_MethodP")
_ReturnT = TypeVar("_ReturnT", covariant=True)


class _AnyParameters(Protocol[_ReturnT]):
    """A function that accepts every argument: in mypy, one with a template and without a return annotation."""

    def __call__(self, *, no_function_has_this: Never) -> _ReturnT: ...


class SyncCall(Protocol[_P, _ReturnT]):
    """A decorated sync function."""

    if TYPE_CHECKING:  # the names of a class are not properties at run time

        @property
        def __name__(self) -> str: ...
        @property
        def __qualname__(self) -> str: ...

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _ReturnT: ...

    def map(self, rows: Rows, **options: Unpack[MapOptions]) -> RowResults[_ReturnT]:
        """Call the function for many rows; see `ferroscope.batch.map_rows`."""
        ...

    # In a class, it is a method. Any: the instance.
    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(
        self: _AnyParameters[_ReturnT], instance: object, owner: type | None = None, /
    ) -> Callable[..., _ReturnT]: ...
    @overload
    def __get__(
        self: SyncCall[Concatenate[Any, _MethodP], _ReturnT], instance: object, owner: type | None = None, /
    ) -> Callable[_MethodP, _ReturnT]: ...


class AsyncCall(Protocol[_P, _ReturnT]):
    """A decorated async function."""

    if TYPE_CHECKING:  # the names of a class are not properties at run time

        @property
        def __name__(self) -> str: ...
        @property
        def __qualname__(self) -> str: ...

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> Coroutine[object, None, _ReturnT]: ...

    def map(self, rows: Rows, **options: Unpack[MapOptions]) -> AsyncRowResults[_ReturnT]:
        """Call the function for many rows; see `ferroscope.batch.map_rows`."""
        ...

    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(
        self: AsyncCall[Concatenate[Any, _MethodP], _ReturnT], instance: object, owner: type | None = None, /
    ) -> Callable[_MethodP, Coroutine[object, None, _ReturnT]]: ...
