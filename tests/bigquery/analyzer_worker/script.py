"""Walks the statements of a script and analyses each, with what the script's own statements (DECLARE, SET, IF ...) mean for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from zetasql.core.exceptions import ServerError

from . import effects, places
from .catalog import Catalog, leaf
from .service import Service

_ERROR = re.compile(r"Code: \d+, Message: (?P<message>.*?)(?: \[at (?P<line>\d+):(?P<column>\d+)\])?$", re.DOTALL)

# Statements for the script's interpreter, on which the analyzer has no word. Those not handled below are refused: unread is not right.
_PROCEDURAL = (
    "ast_script_statement_node",
    "ast_execute_immediate_statement_node",
    "ast_call_statement_node",
    "ast_system_variable_assignment_node",
    "ast_parameter_assignment_node",
)


class _Refused(Exception):
    """A statement that the analyzer refuses; `position` is the byte of the script where the error is."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Script:
    """One text of one or more statements."""

    def __init__(self, service: Service, catalog: Catalog, sql: str) -> None:
        self._service = service
        self._catalog = catalog
        self._sql = sql.encode()
        self._dots: list[int] = []
        self._in_transaction = False

    def refusal(self) -> str | None:
        """What is wrong with the first wrong statement, and where; None where nothing is."""
        before = self._catalog.variables()
        try:
            self._statements(self._parsed().statement_list_node)
        except _Refused as refused:
            return places.shown(self._sql, refused.position, str(refused))
        finally:
            self._catalog.restore_variables(before)
        return None

    def _parsed(self) -> Any:
        try:
            tree = self._service.parse_script(self._sql)
        except ServerError as error:
            raise _refused(error, self._sql, lambda position: position) from None
        self._dots = sorted(places.dots_in_quoted_names(tree, self._sql))
        return tree

    def _statements(self, block: Any) -> None:
        for node in block.statement_list:
            statement = leaf(node)
            handler = _HANDLERS.get(type(statement).__name__)
            if handler is not None:
                handler(self, statement)
            elif node.WhichOneof("node") in _PROCEDURAL:
                name = type(statement).__name__.removeprefix("AST").removesuffix("Proto")
                raise _Refused(f"Not judged: nothing here reads a {name}", places.span(statement)[0])
            else:
                self._plain(statement)

    def _plain(self, node: Any) -> None:
        start, end = places.span(node)
        resolved = self._analyzed("", start, end)
        kind = type(resolved).__name__
        if kind == "ResolvedBeginStmtProto":
            self._in_transaction = True
        elif kind in ("ResolvedCommitStmtProto", "ResolvedRollbackStmtProto"):
            self._in_transaction = False
        elif self._in_transaction and effects.is_ddl_of_permanent_things(resolved):
            raise _Refused("A transaction may define temporary things only", start)
        effects.apply(resolved, self._catalog)

    def _declare(self, node: Any) -> None:
        if node.HasField("type"):
            start, end = places.span(leaf(node.type))
            resolved = self._analyzed("select cast(null as ", start, end, ")")
        else:
            resolved = self._analyzed("select ", *places.span(leaf(node.default_value)))
        for identifier in node.variable_list.identifier_list:
            self._catalog.declare(identifier.id_string, resolved.output_column_list[0].column.type)
            if node.HasField("default_value"):
                self._assigned(identifier, node.default_value)

    def _set(self, node: Any) -> None:
        self._assigned(node.variable, node.expression)

    def _assigned(self, variable: Any, expression: Any) -> None:
        wanted = self._catalog.variable_type(variable.id_string)
        if wanted is None:
            raise _Refused(f"Undeclared variable: {variable.id_string}", places.span(variable)[0])
        self._analyzed("select ", *places.span(leaf(expression)), wanted=wanted)

    def _condition(self, expression: Any) -> None:
        self._analyzed("select 1 from (select 1) where ", *places.span(leaf(expression)))

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
        self._catalog.restore_variables(before)
        for handler in node.handler_list.exception_handler_list:
            self._statements(handler.statement_list)

    def _while(self, node: Any) -> None:
        if node.HasField("condition"):  # a LOOP has none
            self._condition(node.condition)
        self._statements(node.parent.body)

    def _raise(self, node: Any) -> None:
        if node.HasField("message"):
            self._analyzed("select ", *places.span(leaf(node.message)))

    def _nothing(self, node: Any) -> None:
        """BREAK, CONTINUE and RETURN say all by being parsed."""

    def _analyzed(self, prefix: str, start: int, end: int, suffix: str = "", wanted: Any | None = None) -> Any:
        """The part of the script from `start` to `end`, analysed with what makes a statement of it."""
        dots = [dot for dot in self._dots if start <= dot < end]
        text, at = b"", start
        for dot in dots:
            text += self._sql[at:dot] + b"`.`"
            at = dot + 1
        sql = prefix.encode() + text + self._sql[at:end] + suffix.encode()

        def place(position: int) -> int:
            position += start - len(prefix)
            for dot in dots:
                position -= min(2, max(0, position - dot))
            return max(start, position)

        try:
            return self._catalog.analyze(sql, wanted)
        except ServerError as error:
            raise _refused(error, sql, place) from None


_HANDLERS: dict[str, Callable[[Script, Any], None]] = {
    "ASTVariableDeclarationProto": Script._declare,
    "ASTSingleAssignmentProto": Script._set,
    "ASTIfStatementProto": Script._if,
    "ASTBeginEndBlockProto": Script._block,
    "ASTWhileStatementProto": Script._while,
    "ASTRaiseStatementProto": Script._raise,
    "ASTBreakStatementProto": Script._nothing,
    "ASTContinueStatementProto": Script._nothing,
    "ASTReturnStatementProto": Script._nothing,
}


def _refused(error: ServerError, sql: bytes, place: Callable[[int], int]) -> _Refused:
    """The analyzer's error, with its place in the script by way of `place`."""
    found = _ERROR.match(error.raw_error)
    if found is None or found["line"] is None:
        return _Refused(found["message"] if found else error.raw_error, place(0))
    return _Refused(found["message"], place(places.offset(sql, int(found["line"]), int(found["column"]))))
