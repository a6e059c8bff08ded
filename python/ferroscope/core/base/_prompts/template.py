"""The string-template language. A template is parsed once and rendered for each call.

    SYSTEM: You are a librarian.
    MESSAGES: {history}
    USER:
    Recommend a {genre} book, cheaper than {limit:.2f} dollars, like these:
    {favourites:list}
    {cover:image(detail=low)}

- A role begins a line: `SYSTEM:`, `USER:`, `ASSISTANT:`. Text without a role, and text before the first role, is a user
  message. `MESSAGES:` inserts a list of messages.
- A variable has the syntax of `str.format`: `{x}`, `{x.attribute}`, `{x[key]}`, `{x:.2f}`, `{x!r}`; `{{` and `}}` are
  literal braces. `None` renders as an empty string.
- `list` renders one item per line, `lists` separates groups with a blank line.
- `image`, `audio`, `document`, `text`, `part` and their plurals create parts, `{:cache_control}` a cache mark.
- Indentation that all lines share is removed; other whitespace inside a text is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from string import Formatter
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from ....errors import TemplateError, TemplateVariableError
from .._media.parts import audio_part, document_part, image_part
from ..message_param import (
    BaseMessageParam,
    CacheControlPart,
    ContentPart,
    TextPart,
    is_content_part,
)

Values: TypeAlias = Mapping[str, Any]
"""The variables of a template."""

Message: TypeAlias = BaseMessageParam | dict[str, Any] | BaseModel
"""A common message, or a provider's own message in the form that its SDK accepts."""

TextRenderer: TypeAlias = Callable[[Values], str]
"""The render function of a parsed text."""

_BLANK: Final = " \t\r\n"
_ROLE: Final = re.compile(r"^[ \t]*(SYSTEM|USER|ASSISTANT|MESSAGES):", re.MULTILINE)
_INDENTED_ROLE: Final = re.compile(r"^[ \t]+(SYSTEM|USER|ASSISTANT|MESSAGES):", re.MULTILINE)
_TAG: Final = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
_NAME: Final = re.compile(r"[^.\[\]]*")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([^\]]+)\]")
_BLANKS_BESIDE_PART: Final = " \t"

_PARTS: Final = ("text", "image", "audio", "document", "part")
_TAGS: Final = frozenset({*_PARTS, *(f"{tag}s" for tag in _PARTS), "cache_control", "list", "lists"})
_OPTIONS: Final = {"image": "detail", "images": "detail", "cache_control": "type"}
_CONVERSIONS: Final[dict[str, Callable[[object], str]]] = {"r": repr, "s": str, "a": ascii}


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. Rendering does not parse its text again.

    Attributes:
        source: The text as written, without its common indentation.
        variables: The names that require a value.
    """

    source: str
    variables: frozenset[str]
    _blocks: tuple[_Content | _Splice, ...]

    def messages(self, values: Values) -> list[Message]:
        """Render the messages; messages without content are dropped."""
        rendered: list[Message] = []
        for block in self._blocks:
            block.render(values, rendered)
        return rendered


@lru_cache(maxsize=512)
def parse_template(source: str) -> Template:
    """Parse a template.

    Raises:
        TemplateError: The template is invalid.
    """
    text = _dedented(source)
    blocks: list[_Content | _Splice] = []
    variables: set[str] = set()
    for role, content in _roles(text):
        if role == "messages":
            splice = _splice(content)
            blocks.append(splice)
            variables.add(splice.field.name)
        elif content:
            fields = _fields(content)
            blocks.append(_content(role, fields))
            variables |= _required_names(fields)
    return Template(text.strip(), frozenset(variables), tuple(blocks))


@lru_cache(maxsize=512)
def parse_text(source: str) -> TextRenderer:
    """Parse a text with variables but without roles and parts; a part tag is ignored, but not its variable.

    Raises:
        TemplateError: The text is invalid.
    """
    pieces: list[str | TextRenderer] = []
    for field in _fields(source):
        if isinstance(field, str) or field.tag in (None, "list", "lists"):
            pieces.append(field if isinstance(field, str) else _text(field))
        elif field.tag != "cache_control":
            pieces.append(_text(replace(field, tag=None)))
    return _join(pieces)


# -- parsing ------------------------------------------------------------


def _dedented(source: str) -> str:
    """Return the text without the indentation that it has only as part of the source code."""
    text = source.removeprefix("\ufeff").replace("\r\n", "\n")
    first, _, rest = text.partition("\n")
    # The first line of a text that begins right after its quotes is not indented. The other lines share the indentation
    # of the source code if a role or the closing quotes are indented with them.
    closing = rest.rpartition("\n")[2]
    if first.strip() and (_INDENTED_ROLE.search(rest) or (closing and not closing.strip())):
        return f"{first.lstrip(_BLANK)}\n{_remove_margin(rest)}"
    return _remove_margin(text)


def _remove_margin(text: str) -> str:
    """Return the text without the leading blanks that all its lines share; tabs and wide blanks are not converted."""
    lines = text.split("\n")
    texts = [line for line in lines if line.strip(_BLANK)]
    margin = texts[0][: len(texts[0]) - len(texts[0].lstrip(_BLANK))] if texts else ""
    for line in texts:
        while not line.startswith(margin):
            margin = margin[:-1]
    return "\n".join([line.removeprefix(margin) if line.strip(_BLANK) else "" for line in lines])


def _roles(text: str) -> Iterator[tuple[str, str]]:
    """Yield the role and the text of each message."""
    role, begin = "user", 0
    for keyword in _ROLE.finditer(text):
        yield role, _message_text(text[begin : keyword.start()])
        role, begin = keyword[1].lower(), keyword.end()
    yield role, _message_text(text[begin:])


def _message_text(text: str) -> str:
    """Return the text of one message, without surrounding blank lines and the margin of a block below its role."""
    first, _, rest = text.partition("\n")
    if first.strip(_BLANK):
        return text.strip(_BLANK)
    return _remove_margin(rest).lstrip("\n").rstrip(_BLANK)


@dataclass(frozen=True, slots=True)
class _Field:
    """A variable in a text: `{name.path!conversion:spec}`, or with a part tag as the spec."""

    expression: str
    name: str
    path: tuple[tuple[bool, str | int], ...]
    conversion: str | None
    spec: str
    tag: str | None
    option: str | None

    @property
    def may_be_literal(self) -> bool:
        """Whether the field may be literal text: `{Some words:text}` is a text part unless it names a variable."""
        return self.tag == "text" and not self.path and self.conversion is None

    def value(self, values: Values) -> Any:
        try:
            value = values[self.name]
        except KeyError:
            if self.may_be_literal:
                return self.expression
            known = ", ".join(repr(name) for name in values) or "none"
            raise TemplateVariableError(
                f"template variable {self.name!r} has no value; known variables: {known}"
            ) from None
        for is_attribute, key in self.path:
            value = getattr(value, str(key)) if is_attribute else value[key]
        if self.conversion is not None:
            return _CONVERSIONS[self.conversion](value)
        return value

    def items(self, values: Values) -> list[Any]:
        value = self.value(values)
        if not isinstance(value, list):
            raise ValueError(f"When using '{self.tag}' template, '{self.expression}' must be a list.")
        return value


def _fields(text: str) -> list[str | _Field]:
    """Return the texts and variables in their order."""
    found: list[str | _Field] = []
    try:
        for literal, name, spec, conversion in Formatter().parse(text):
            if literal:
                found.append(literal)
            if name is not None:
                found.append(_field(name, spec or "", conversion))
    except TemplateError:
        raise
    except ValueError as error:
        raise TemplateError(
            f"{error}, in the template line {_broken_line(text)!r}; write literal braces as {{{{ and }}}}"
        ) from error
    return found


def _required_names(fields: list[str | _Field]) -> set[str]:
    """Return the names that require a value, including those inside format specs."""
    names: set[str] = set()
    for field in fields:
        if isinstance(field, _Field) and field.tag != "cache_control" and not field.may_be_literal:
            names |= {field.name, *_required_names(_fields(field.spec) if "{" in field.spec else [])}
    return names


def _broken_line(text: str) -> str:
    for line in text.splitlines():
        try:
            list(Formatter().parse(line))
        except ValueError:
            return line.strip()
    return text


def _field(expression: str, spec: str, conversion: str | None) -> _Field:
    whole = "{" + expression + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
    tag, option = _tag(spec, whole)
    if tag is not None:
        spec = ""
    if tag == "cache_control":
        if expression:
            raise TemplateError(f"{whole} in a template: cache_control does not accept a variable: write {{:{tag}}}")
        return _Field(expression, "", (), None, spec, tag, option)
    if conversion is not None and conversion not in _CONVERSIONS:
        raise TemplateError(f"{whole} in a template: unknown conversion !{conversion}; use !r, !s or !a")
    if conversion is not None and tag not in (None, "text"):
        raise TemplateError(f"{whole} in a template: {tag} does not support !{conversion}")
    name, path = _name_and_path(expression)
    if tag == "text" and conversion is None and (path is None or not name.isidentifier()):
        return _Field(expression, expression, (), None, spec, tag, option)
    if path is None or not name.isidentifier():
        raise TemplateError(f"{whole} in a template is not a variable; write literal braces as {{{{ and }}}}")
    return _Field(expression, name, path, conversion, spec, tag, option)


def _name_and_path(expression: str) -> tuple[str, tuple[tuple[bool, str | int], ...] | None]:
    """Return a variable's name, and its path of attributes (True) and keys (False); None if the path is malformed."""
    start = _NAME.match(expression)
    name = start[0] if start else ""
    at, path = len(name), list[tuple[bool, str | int]]()
    while at < len(expression):
        step = _STEP.match(expression, at)
        if step is None:
            return name, None
        key = step[2]
        path.append((True, step[1]) if key is None else (False, int(key) if key.isdigit() else key))
        at = step.end()
    return name, tuple(path)


def _tag(spec: str, whole: str) -> tuple[str | None, str | None]:
    """Return the part tag of a spec and the value of its option; (None, None) for an ordinary format spec."""
    match = _TAG.match(spec)
    if match is None or match[1] not in _TAGS:
        return None, None
    tag, options = match[1], match[2]
    if match.end() != len(spec):
        raise TemplateError(f"{whole} in a template: write options as {{x:{tag}(name=value)}}")
    value: str | None = None
    for option in (options or "").split(","):
        if not option.strip():
            continue
        name, equals, value = (piece.strip() for piece in option.partition("="))
        if not equals or not value or name != _OPTIONS.get(tag):
            allowed = f"{_OPTIONS[tag]}=…" if tag in _OPTIONS else "none"
            raise TemplateError(
                f"{whole} in a template: {option.strip()!r} is not an option of {tag}, which accepts {allowed}"
            )
    return tag, value


# -- text ------------------------------------------------------------


def _join(pieces: list[str | TextRenderer]) -> TextRenderer:
    """Return one render function for several pieces."""
    if all(isinstance(piece, str) for piece in pieces):
        whole = "".join(piece for piece in pieces if isinstance(piece, str))
        return lambda _values: whole
    if len(pieces) == 1 and not isinstance(pieces[0], str):
        return pieces[0]
    frozen = tuple(pieces)
    return lambda values: "".join([piece if isinstance(piece, str) else piece(values) for piece in frozen])


def _text(field: _Field) -> TextRenderer:
    """Return the render function of a variable as text."""
    if field.tag == "list":
        return lambda values: _lines(field, field.value(values))
    if field.tag == "lists":
        return lambda values: _groups(field, field.value(values))
    value_of = field.value
    if "{" in field.spec:
        spec_of = _join([p if isinstance(p, str) else _text(p) for p in _fields(field.spec)])
        return lambda values: _formatted(value_of(values), spec_of(values))
    if field.spec:
        return lambda values: _formatted(value_of(values), field.spec)
    if field.path or field.conversion:
        return lambda values: _plain(value_of(values))
    name = field.name

    def plain(values: Values) -> str:
        value = values[name] if name in values else value_of(values)
        return value if type(value) is str else _plain(value)

    return plain


def _plain(value: object) -> str:
    return "" if value is None else format(value)


def _formatted(value: object, spec: str) -> str:
    return "" if value is None else format(value, spec)


def _lines(field: _Field, value: object) -> str:
    if not isinstance(value, list):
        raise ValueError(f"Template variable '{field.expression}' must be a list when using the 'list' format spec.")
    return "\n".join([str(item) for item in value])


def _groups(field: _Field, value: object) -> str:
    if not isinstance(value, list) or not all(isinstance(group, list | tuple | set) for group in value):
        raise ValueError(
            f"Template variable '{field.expression}' must be a list of lists when using the 'lists' format spec."
        )
    return "\n\n".join(["\n".join([str(item) for item in group]) for group in value])


# -- parts ------------------------------------------------------------


def _text_part(field: _Field, value: object) -> TextPart:
    if not isinstance(value, str):
        raise ValueError(
            f"When using '{field.tag}' template, '{field.expression}' must be text, not {type(value).__name__}."
        )
    return TextPart(type="text", text=value)


def _any_part(field: _Field, value: object) -> ContentPart:
    if not is_content_part(value):
        raise ValueError(f"When using '{field.tag}' template, '{field.expression}' must be a valid content part.")
    return value


_PART_READERS: Final[dict[str, Callable[[_Field, Any], ContentPart]]] = {
    "text": _text_part,
    "part": _any_part,
    "image": lambda field, value: image_part(value, field.option),
    "audio": lambda field, value: audio_part(value),
    "document": lambda field, value: document_part(value),
}
_OPTIONAL: Final = frozenset({"image", "audio", "document"})


def _parts(field: _Field, values: Values) -> list[ContentPart]:
    """Return the parts of a tagged variable."""
    tag = field.tag or ""
    if tag == "cache_control":
        return [CacheControlPart(type="cache_control", cache_type=field.option or "ephemeral")]
    one = _PART_READERS.get(tag)
    if one is not None:
        value = field.value(values)
        # An empty value means that there is no image, so no part is created.
        if tag in _OPTIONAL and _is_missing(value):
            return []
        return [one(field, value)]
    reader = _PART_READERS[tag.removesuffix("s")]
    return [reader(field, value) for value in field.items(values)]


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str | bytes) and not value)


@dataclass(frozen=True, slots=True)
class _Content:
    """A message of one role: only text, or texts and parts in their order."""

    role: str
    text: TextRenderer | None
    pieces: tuple[TextRenderer | _Field, ...]

    def render(self, values: Values, into: list[Message]) -> None:
        if self.text is not None:
            text = self.text(values)
            if text:
                into.append(BaseMessageParam(role=self.role, content=text))
            return
        parts: list[ContentPart] = []
        for piece in self.pieces:
            if isinstance(piece, _Field):
                parts += _parts(piece, values)
            elif text := piece(values):
                parts.append(TextPart(type="text", text=text))
        if len(parts) == 1 and isinstance(parts[0], TextPart):
            into.append(BaseMessageParam(role=self.role, content=parts[0].text))
        elif parts:
            into.append(BaseMessageParam(role=self.role, content=parts))


def _content(role: str, fields: list[str | _Field]) -> _Content:
    """Group texts and variables between parts; blanks beside a part on the same line are removed."""
    groups: list[list[str | TextRenderer] | _Field] = [[]]
    for field in fields:
        if isinstance(field, _Field) and field.tag not in (None, "list", "lists"):
            groups += [field, []]
            continue
        group = groups[-1]
        assert isinstance(group, list)
        group.append(field if isinstance(field, str) else _text(field))
    if len(groups) == 1:
        assert isinstance(groups[0], list)
        return _Content(role, _join(groups[0]), ())
    pieces: list[TextRenderer | _Field] = []
    for at, group in enumerate(groups):
        if isinstance(group, _Field):
            pieces.append(group)
            continue
        if at and group and isinstance(group[0], str):
            group[0] = group[0].lstrip(_BLANKS_BESIDE_PART)
        if at < len(groups) - 1 and group and isinstance(group[-1], str):
            group[-1] = group[-1].rstrip(_BLANKS_BESIDE_PART)
        if any(group):
            pieces.append(_join(group))
    return _Content(role, None, tuple(pieces))


@dataclass(frozen=True, slots=True)
class _Splice:
    """A list of messages that is inserted at its position."""

    field: _Field

    def render(self, values: Values, into: list[Message]) -> None:
        messages = self.field.value(values)
        if not isinstance(messages, list):
            raise ValueError(
                f"MESSAGES keyword used with attribute `{self.field.expression}`, which is not a `list` of messages."
            )
        for message in messages:
            if not isinstance(message, BaseModel | Mapping):
                raise ValueError(
                    f"MESSAGES keyword used with attribute `{self.field.expression}`, which contains {message!r}: "
                    "neither a message nor a provider's message"
                )
        into += messages


def _splice(content: str) -> _Splice:
    fields = _fields(content)
    field = fields[0] if len(fields) == 1 else None
    if not isinstance(field, _Field) or field.tag or field.spec or field.conversion:
        raise TemplateError(
            f"MESSAGES: {content!r} in a template: write exactly one variable, as in "
            "'MESSAGES: {history}'; text after it must begin with a role on a line of its own"
        )
    return _Splice(field)
