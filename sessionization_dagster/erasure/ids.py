"""A person's ids, and how they are recognised in values and texts. Pure: no file, no SQL.

A distinct id, which can be nothing else, such as a UUID or an email address, is searched for everywhere: as a value, and as a word in a
longer text. An ordinary id (`42`, `ann`) would also be found in prices and page titles, so it counts only where a row names its visitor.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from sessionization_dagster.landing.calls import json_object

#: Shorter texts are likely to mean something else too.
DISTINCT_CHARACTERS = 8
#: The characters of an id. If one of them adjoins a match, the text is another, longer id.
WORD = r"\pL\pN_.@+\-"

_PYTHON_WORD = r"\w.@+\-"
#: A string in a JSON text, with the colon after it if it is a key; or a number.
_JSON_TOKEN = re.compile(r'("(?:[^"\\]++|\\.)*+")(\s*:)?|-?\d[\w.+\-]*')

#: As an id, the number 42.0 is landed as 42.
_FRACTION_OF_ZEROS = re.compile(r"(?<=\d)\.0+$")


def is_distinct(text: str) -> bool:
    """Whether the id is unlike ordinary words and numbers."""
    return len(text) >= DISTINCT_CHARACTERS and any(letter.isdigit() or letter == "@" for letter in text)


def as_id(value: object) -> str:
    """A value as text, as landing writes an id: 42.0 becomes 42."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@dataclass(frozen=True)
class Ids:
    """The ids of one person.

    Attributes:
        names: all ids.
        spellings: the other forms that files may have for them.
    """

    names: frozenset[str] = field(repr=False)
    spellings: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, values: Iterable[str], prefixes: Iterable[str] = ()) -> Ids:
        """The given ids, the ids with each prefix, and numbers as files may write them: 42.0 is landed as 42."""
        names = frozenset(values)
        floats = frozenset(f"{name}.0" for name in names if name.isdecimal())
        return cls(names, floats | {f"{prefix}{name}" for prefix in prefixes for name in names | floats})

    @cached_property
    def values(self) -> frozenset[str]:
        """The ids in all spellings."""
        return self.names | self.spellings

    @cached_property
    def distinct(self) -> frozenset[str]:
        """The ids that are searched for everywhere."""
        return frozenset(value for value in self.values if is_distinct(value))

    @cached_property
    def ordinary(self) -> frozenset[str]:
        """The ids that count only where a row names its visitor."""
        return self.values - self.distinct

    @cached_property
    def forms(self) -> list[str]:
        """The distinct ids as they are written in texts and inside JSON strings."""
        return sorted(
            {form for value in self.distinct for form in (value, json.dumps(value, ensure_ascii=False)[1:-1])}
        )

    @property
    def pattern(self) -> str | None:
        """An RE2 pattern that finds a distinct id as a word of a text, including JSON; None if there is no such id."""
        # A JSON string writes a line feed before a word as two characters, of which the second is a letter.
        before = rf"^|[^{WORD}]|\\[bfnrt]"
        return f"({before})({self._alternatives})([^{WORD}]|$)" if self.distinct else None

    def are_in(self, text: str) -> bool:
        """Whether a distinct id is a word of the text."""
        return self._words.search(text) is not None

    def without(self, text: str) -> str:
        """The text without the distinct ids among its words."""
        return self._words.sub("", text)

    def blanked(self, value: Any, own: Set[str]) -> Any:
        """The value without ids, at any depth. An id, or one of `own`, becomes None; a longer text loses the ids among its words."""
        if isinstance(value, dict):
            return {self.blanked_key(key): self.blanked(item, own) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.blanked(item, own) for item in value)
        if isinstance(value, bytes):
            text = value.decode("utf-8", "surrogateescape")
            blank = self.blanked(text, own)
            return None if blank is None else value if blank == text else blank.encode("utf-8", "surrogateescape")
        if isinstance(value, str):
            return None if self._is_id(value, own) else self.without(value)
        is_text_too = isinstance(value, (int, float, UUID)) and not isinstance(value, bool)
        return None if is_text_too and self._is_id(as_id(value), own) else value

    def blanked_key(self, key: Any) -> Any:
        """A key of an object without ids."""
        return self.without(key) if isinstance(key, str) else key

    def blanked_json(self, text: str, own: Set[str]) -> str:
        """A JSON text without ids. Everything else in it stays as it is written."""

        def blank(token: re.Match[str]) -> str:
            if token[1] is None:
                return "null" if self._is_id(_FRACTION_OF_ZEROS.sub("", token[0]), own) else token[0]
            try:
                string = json.loads(token[1], strict=False)
            except ValueError:
                return token[0]
            if token[2] is None and self._is_id(string, own):
                return "null"
            # What landing may read as an object stays one.
            rest = self.without(string) if json_object(string) is None else self.blanked_json(string, own)
            return token[0] if rest == string else json.dumps(rest, ensure_ascii=False) + (token[2] or "")

        return _JSON_TOKEN.sub(blank, text)

    def _is_id(self, text: str, own: Set[str]) -> bool:
        text = text.strip()
        return text in self.distinct or text in own

    @cached_property
    def _alternatives(self) -> str:
        return "|".join(re.escape(form) for form in self.forms) or "(?!)"

    @cached_property
    def _words(self) -> re.Pattern[str]:
        return re.compile(f"(?<![{_PYTHON_WORD}])(?:{self._alternatives})(?![{_PYTHON_WORD}])")
