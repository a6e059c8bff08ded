"""The arguments of a tool call: what is read from them, and what is said when they cannot be read."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ferroscope.core.openai.tool import OpenAITool
from ferroscope.errors import ToolArgumentsError


def set_alarm(hour: int = 7, label: str = "wake up") -> str:
    return f"{hour}: {label}"


TOOL = OpenAITool.type_from_fn(set_alarm)


def made_from(arguments: str | bytes) -> OpenAITool:
    return TOOL.from_arguments(id="call_1", name="set_alarm", arguments=arguments)


@pytest.mark.parametrize("arguments", ["", "  \n", "null", " null ", "{}", b"", b"null", b" {} "])
def test_no_arguments_are_an_empty_object(arguments: str | bytes) -> None:
    assert made_from(arguments).call() == "7: wake up"


@pytest.mark.parametrize("arguments", ['{"hour":8}', ' {"hour":8}', b'{"hour":8}', '{"hour":8,"unknown":1}'])
def test_text_and_bytes(arguments: str | bytes) -> None:
    assert made_from(arguments).args == {"hour": 8, "label": "wake up"}


def test_names_of_our_own_fields_in_the_arguments_change_nothing() -> None:
    tool = made_from('{"hour":8,"delta":{"a":1},"tool_call":{"id":"forged"}}')
    assert (tool.id, tool.delta, tool.tool_call.id) == ("call_1", None, "call_1")


MALFORMED = [
    (
        '{"hour": 8, "label": "a',
        (
            "the arguments are not valid JSON: EOF while parsing a string at byte 23 (line 1, column 23), "
            'after \'{"hour": 8, "label": "a\''
        ),
    ),
    (
        '{"hour": 8,\n "label": oops}',
        (
            "the arguments are not valid JSON: expected value at byte 22 (line 2, column 11), "
            'after \'{"hour": 8,\\n "label": \''
        ),
    ),
    (
        '{"label": "żółw", "hour": }',
        (
            "the arguments are not valid JSON: expected value at byte 29 (line 1, column 30), "
            'after \'el": "żółw", "hour": \''
        ),
    ),
    ('{"hour": 8} {"hour": 9}', None),
    ("[8]", "the arguments are JSON, but not an object"),
    ('"8"', "the arguments are JSON, but not an object"),
    ("nonsense", None),
]


@pytest.mark.parametrize(("arguments", "problem"), MALFORMED)
@pytest.mark.parametrize("encode", [str, str.encode])
def test_malformed_arguments_name_the_tool_the_call_and_the_place(
    arguments: str, problem: str | None, encode: type[str]
) -> None:
    with pytest.raises(ToolArgumentsError) as raised:
        made_from(encode(arguments))
    error = raised.value
    assert (error.name, error.call_id, error.arguments) == ("set_alarm", "call_1", arguments)
    assert str(error).startswith("tool 'set_alarm', call 'call_1': ")
    if problem is not None:
        assert str(error) == f"tool 'set_alarm', call 'call_1': {problem}"


def test_arguments_cut_anywhere_are_an_error_at_their_end() -> None:
    whole = '{"hour": 8, "label": "\\u00e9 \\"żółw\\""}'
    assert made_from(whole).args == {"hour": 8, "label": 'é "żółw"'}
    for length in range(1, len(whole)):
        cut = whole[:length]
        with pytest.raises(ToolArgumentsError) as raised:
            made_from(cut)
        assert raised.value.arguments == cut
        assert f" at byte {len(cut.encode())} (" in str(raised.value)


def test_malformed_arguments_are_a_value_error() -> None:
    with pytest.raises(ValueError, match="not valid JSON"):
        made_from("{")


def test_arguments_that_do_not_fit_are_pydantics_error_with_the_call_in_its_notes() -> None:
    with pytest.raises(ValidationError) as raised:
        made_from('{"hour": "eight"}')
    assert [detail["loc"] for detail in raised.value.errors()] == [("hour",)]
    assert raised.value.__notes__ == [
        "tool 'set_alarm', call 'call_1': the arguments do not match the tool's schema",
        'arguments: {"hour": "eight"}',
    ]


def test_a_call_without_an_id_and_bytes_that_are_no_text() -> None:
    with pytest.raises(ToolArgumentsError) as raised:
        TOOL.from_arguments(id=None, name="set_alarm", arguments=b'{"label": "\xff"}')
    assert raised.value.call_id is None
    assert raised.value.arguments == '{"label": "\\xff"}'
    assert str(raised.value).startswith("tool 'set_alarm', call None: ")
