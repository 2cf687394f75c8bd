"""Walks the statements of a script, analyses each and says where in the text an error stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from zetasql.core.exceptions import ServerError
from zetasql.wasi._pb2.zetasql.proto import options_pb2  # noqa: F401 - registers the messages that trees are made of

from .catalog import Catalog
from .service import Service

AT = re.compile(r" \[at (\d+):(\d+)\]$")
HARMLESS = {"ASTBreakContinueStatementProto", "ASTReturnStatementProto"}


class Refused(Exception):
    """A statement that the analyzer refuses, with the offset of the error in the script."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Script:
    """One text of one or more statements."""

    def __init__(self, service: Service, catalog: Catalog, sql: str) -> None:
        self._service = service
        self._catalog = catalog
        self._sql = sql.encode()
        self._dots: list[int] = []

    def refusal(self) -> str | None:
        """What is wrong with the first wrong statement, where, and the line with a mark; None where nothing is."""
        before = self._catalog.variables()
        try:
            self._statements(self._parsed().statement_list_node)
        except Refused as refused:
            line, column, text = _place(self._sql, refused.offset)
            return f"{refused} [at {line}:{column}]\n{text}\n{' ' * (column - 1)}^"
        finally:
            self._catalog.undeclare(self._catalog.variables() - before)
        return None

    def _parsed(self) -> Any:
        try:
            tree = self._service.parse_script(self._sql)
        except ServerError as error:
            raise _refused(error, self._sql, lambda offset: offset) from None
        self._dots = sorted(_dots_in_quoted_names(tree, self._sql))
        return tree

    def _statements(self, block: Any) -> None:
        before = self._catalog.variables()
        for node in block.statement_list:
            statement = _leaf(node)
            handler = _HANDLERS.get(type(statement).__name__)
            if handler is not None:
                handler(self, statement)
            elif _is_procedural(node):
                start, _ = _span(statement)
                raise Refused(f"Not judged: a script's {type(statement).__name__} is not read by this test", start)
            else:
                self._analyzed("", *_span(statement))
        if "parent" in block.DESCRIPTOR.fields_by_name and not block.variable_declarations_allowed:
            self._catalog.undeclare(self._catalog.variables() - before)

    def _declare(self, node: Any) -> None:
        if node.HasField("type"):
            start, end = _span(_leaf(node.type))
            resolved = self._analyzed("select cast(null as ", start, end, ")")
        else:
            resolved = self._analyzed("select ", *_span(_leaf(node.default_value)))
        variable_type = resolved.output_column_list[0].column.type
        for identifier in node.variable_list.identifier_list:
            self._catalog.declare(identifier.id_string, variable_type)
            if node.HasField("type") and node.HasField("default_value"):
                self._assigned(identifier.id_string, node.default_value)

    def _set(self, node: Any) -> None:
        name = node.variable.id_string
        if self._catalog.variable_type(name) is None:
            raise Refused(f"Undeclared variable: {name}", _span(node.variable)[0])
        self._assigned(name, node.expression)

    def _assigned(self, variable: str, expression: Any) -> None:
        """An assignment coerces as much as a query's branch does whose other branch is of the variable's type."""
        start, end = _span(_leaf(expression))
        resolved = self._analyzed("select ", start, end)
        given, wanted = resolved.output_column_list[0].column.type, self._catalog.variable_type(variable)
        if given != wanted:
            self._analyzed(f"select if(true, `{variable}`, ", start, end, ")")

    def _condition(self, expression: Any) -> None:
        self._analyzed("select 1 from (select 1) where ", *_span(_leaf(expression)))

    def _if(self, node: Any) -> None:
        self._condition(node.condition)
        self._statements(node.then_list)
        for clause in node.elseif_clauses.elseif_clauses:
            self._condition(clause.condition)
            self._statements(clause.body)
        self._statements(node.else_list)

    def _block(self, node: Any) -> None:
        before = self._catalog.variables()
        self._statements(node.statement_list_node)
        self._catalog.undeclare(self._catalog.variables() - before)
        for handler in node.handler_list.exception_handler_list:
            self._statements(handler.statement_list)

    def _while(self, node: Any) -> None:
        if node.HasField("condition"):  # a LOOP has none
            self._condition(node.condition)
        self._statements(node.parent.body)

    def _raise(self, node: Any) -> None:
        if node.HasField("message"):
            self._analyzed("select ", *_span(_leaf(node.message)))

    def _analyzed(self, prefix: str, start: int, end: int, suffix: str = "") -> Any:
        """The part of the script from `start` to `end`, analysed with what makes a statement of it."""
        dots = [dot for dot in self._dots if start <= dot < end]
        text, at = b"", start
        for dot in dots:
            text += self._sql[at:dot] + b"`.`"
            at = dot + 1
        sql = prefix.encode() + text + self._sql[at:end] + suffix.encode()

        def place(offset: int) -> int:
            position = start + offset - len(prefix)
            for dot in dots:
                position -= min(2, max(0, position - dot))
            return max(start, position)

        try:
            return self._catalog.analyze(sql)
        except ServerError as error:
            raise _refused(error, sql, place) from None


_HANDLERS: dict[str, Callable[[Script, Any], None]] = {
    "ASTVariableDeclarationProto": Script._declare,
    "ASTSingleAssignmentProto": Script._set,
    "ASTIfStatementProto": Script._if,
    "ASTBeginEndBlockProto": Script._block,
    "ASTWhileStatementProto": Script._while,
    "ASTRaiseStatementProto": Script._raise,
    **{name: lambda script, node: None for name in HARMLESS},
}


def _refused(error: ServerError, sql: bytes, place: Callable[[int], int]) -> Refused:
    found = AT.search(error.message)
    if found is None:
        return Refused(error.message, place(0))
    return Refused(AT.sub("", error.message), place(_offset(sql, int(found[1]), int(found[2]))))


def _leaf(node: Any) -> Any:
    while type(node).__name__.startswith("Any"):
        node = getattr(node, node.WhichOneof("node"))
    return node


def _is_procedural(node: Any) -> bool:
    """Is it for the script's interpreter alone, so that the analyzer has no word on it?"""
    return node.WhichOneof("node") in (
        "ast_script_statement_node",
        "ast_execute_immediate_statement_node",
        "ast_call_statement_node",
        "ast_system_variable_assignment_node",
        "ast_parameter_assignment_node",
    )


def _span(node: Any) -> tuple[int, int]:
    while "parse_location_range" not in node.DESCRIPTOR.fields_by_name:
        node = node.parent
    return node.parse_location_range.start, node.parse_location_range.end


def _dots_in_quoted_names(node: Any, sql: bytes) -> Iterator[int]:
    """Where `project.dataset.table` stands between one pair of backticks: the analyzer takes that for one name, BigQuery for three."""
    if type(node).__name__ == "ASTIdentifierProto":
        if node.is_quoted and "." in node.id_string:
            start, end = _span(node)
            yield from (start + found.start() for found in re.finditer(rb"\.", sql[start:end]))
        return
    for field, value in node.ListFields():
        if field.message_type is not None:
            for child in value if not hasattr(value, "ListFields") else [value]:
                yield from _dots_in_quoted_names(child, sql)


def _offset(sql: bytes, line: int, column: int) -> int:
    """The byte that the analyzer's line and column (characters, a tab up to the next multiple of 8) mean."""
    lines = sql.split(b"\n")
    position = sum(len(text) + 1 for text in lines[: line - 1])
    at = 1
    for character in lines[line - 1].decode():
        if at >= column:
            break
        at += 8 - (at - 1) % 8 if character == "\t" else 1
        position += len(character.encode())
    return position


def _place(sql: bytes, offset: int) -> tuple[int, int, str]:
    before = sql[:offset]
    start = before.rfind(b"\n") + 1
    end = sql.find(b"\n", offset)
    return before.count(b"\n") + 1, len(before[start:].decode()) + 1, sql[start : end if end >= 0 else None].decode()
