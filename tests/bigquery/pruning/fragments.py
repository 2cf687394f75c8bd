"""Cuts a script into the statements and expressions that read tables, each as a statement of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from sqlglot.dialects.bigquery import BigQuery
from sqlglot.tokenizer_core import Token, TokenType

# Text that may come before a statement of a script and is skipped.
_OPENINGS = {"BEGIN": 1, "ELSE": 1, "LOOP": 1, "REPEAT": 1}
_CONDITIONS = {"IF": "THEN", "ELSEIF": "THEN", "WHILE": "DO", "FOR": "DO", "EXCEPTION": "THEN"}
_SILENT = {"END", "COMMIT", "ROLLBACK", "BREAK", "LEAVE", "CONTINUE", "ITERATE", "RETURN", "RAISE", "TRANSACTION"}


class _Tokenizer(BigQuery.Tokenizer):
    # Else what follows BEGIN, WHILE and the like would be one token up to the semicolon.
    COMMANDS: ClassVar[set[TokenType]] = set()


def fragments(script: str) -> Iterator[str]:
    """The statements of a script without what makes it one: `if c then s` gives `select (c)` and `s`."""
    statement: list[Token] = []
    for token in _Tokenizer().tokenize(script):
        if token.token_type is TokenType.SEMICOLON:
            yield from _peeled(script, statement)
            statement = []
        else:
            statement.append(token)
    yield from _peeled(script, statement)


def _peeled(script: str, tokens: Sequence[Token]) -> Iterator[str]:
    if not tokens:
        return
    first = _word(script, tokens[0])
    if first in _SILENT:
        return
    if first in _OPENINGS:
        yield from _peeled(script, tokens[1:])
    elif first in _CONDITIONS:
        end = _closing(script, tokens, _CONDITIONS[first])
        if first != "EXCEPTION":
            yield _expression(script, tokens[1:end])
        yield from _peeled(script, tokens[end + 1 :])
    elif first == "SET":
        yield _expression(script, _after(script, tokens, "="))
    elif first == "DECLARE":
        yield _expression(script, _after(script, tokens, "DEFAULT"))
    elif first == "UNTIL":
        yield _expression(script, tokens[1 : _closing(script, tokens, "END")])
    else:
        yield script[tokens[0].start : tokens[-1].end + 1]


def _expression(script: str, tokens: Sequence[Token]) -> str:
    text = script[tokens[0].start : tokens[-1].end + 1] if tokens else "null"
    return f"select ({text})"


def _word(script: str, token: Token) -> str:
    """As it is written: text in quotes is not a keyword."""
    return script[token.start : token.end + 1].upper()


def _after(script: str, tokens: Sequence[Token], word: str) -> Sequence[Token]:
    at = next((index for index, token in enumerate(tokens) if _word(script, token) == word), len(tokens))
    return tokens[at + 1 :]


def _closing(script: str, tokens: Sequence[Token], word: str) -> int:
    """The place of the word that ends a condition: not within its parentheses nor within a CASE."""
    depth = 0
    for index, token in enumerate(tokens):
        text = _word(script, token)
        if depth == 0 and text == word:
            return index
        if text in ("(", "CASE"):
            depth += 1
        elif text in (")", "END"):
            depth -= 1
    return len(tokens)
