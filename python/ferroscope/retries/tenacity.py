"""Retries with tenacity's decorator, in which a prompt can contain the errors of earlier attempts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tenacity import RetryCallState

_PARAMETER: Final = "errors"


def collect_errors(*args: type[Exception]) -> Callable[[RetryCallState], None]:
    """Return a hook for tenacity's `after=` that passes errors to the next attempt as the argument `errors`.

    The argument is the list of all errors so far, oldest first. It is not passed to a function without that parameter,
    nor if the call passes `errors` as a positional argument.

    Args:
        args: The exceptions to collect. Subclasses are collected too.

    Example:
        ```python
        from ferroscope.retries.tenacity import collect_errors
        from tenacity import retry, stop_after_attempt


        @retry(stop=stop_after_attempt(3), after=collect_errors(ValueError), reraise=True)
        def check(*, errors: list[ValueError] | None = None) -> str:
            if not errors:
                raise ValueError("no")
            return f"after {errors[0]}"


        print(check())
        # > after no
        ```
    """

    def collect(retry_state: RetryCallState) -> None:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, args):
            _pass_on(retry_state, error)

    return collect


# Any: a mock of the state may lack `fn` and `args`.
def _pass_on(state: Any, error: BaseException) -> None:
    fn = getattr(state, "fn", None)
    if fn is None or _takes_keyword(fn, getattr(state, "args", ())):
        state.kwargs[_PARAMETER] = [*(state.kwargs.get(_PARAMETER) or ()), error]


def _takes_keyword(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Return whether a function accepts the keyword `errors` together with these positional arguments."""
    takes_any = False
    for index, parameter in enumerate(inspect.signature(fn).parameters.values()):
        if parameter.name == _PARAMETER and parameter.kind is not inspect.Parameter.POSITIONAL_ONLY:
            # tenacity stores positional arguments separately, and passes them to each attempt unchanged.
            return parameter.kind is inspect.Parameter.KEYWORD_ONLY or index >= len(args)
        takes_any = takes_any or parameter.kind is inspect.Parameter.VAR_KEYWORD
    return takes_any
