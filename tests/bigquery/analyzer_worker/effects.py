"""What an analysed statement makes, changes or drops, for the statements after it."""

from __future__ import annotations

from typing import Any

from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_ast_enums_pb2 as enums

from .catalog import Catalog, leaf


def apply(statement: Any, catalog: Catalog) -> None:
    """Let the catalog know of a resolved statement's effects."""
    kind = type(statement).__name__
    if kind == "ResolvedCreateFunctionStmtProto":
        catalog.create_function(statement.parent.name_path, statement.signature)
    elif kind == "ResolvedAlterTableStmtProto":
        _alter(statement.parent, catalog)
    elif kind == "ResolvedDropStmtProto":
        catalog.drop_table(statement.name_path)
    elif columns := _columns(statement, catalog):
        catalog.create_table(_inherited(statement, "name_path"), columns)


def is_ddl_of_permanent_things(statement: Any) -> bool:
    """Does it define something that outlives the script? BigQuery allows that in no transaction."""
    kind = type(statement).__name__.removeprefix("Resolved")
    temporary = _inherited(statement, "create_scope") == enums.ResolvedCreateStatementEnums.CREATE_TEMP
    return kind.startswith(("Create", "Alter", "Drop", "Rename")) and not temporary


def _columns(statement: Any, catalog: Catalog) -> Any:
    """The columns of a table or view that a statement creates: its own, or those of the table that it resembles."""
    if own := _inherited(statement, "column_definition_list"):
        return own
    if (like := _inherited(statement, "like_table")) is not None and like.full_name:
        return catalog.columns(like.full_name.split("."))
    for source in ("clone_from", "copy_from"):
        scan = _inherited(statement, source)
        if scan is not None and scan.WhichOneof("node"):
            return catalog.columns(leaf(scan).table.full_name.split("."))
    return None


def _alter(statement: Any, catalog: Catalog) -> None:
    for action in map(leaf, statement.alter_action_list):
        if type(action).__name__ == "ResolvedAddColumnActionProto":
            catalog.add_column(statement.name_path, action.column_definition)
        elif type(action).__name__ == "ResolvedRenameToActionProto":
            columns = catalog.columns(statement.name_path)
            catalog.create_table([*statement.name_path[:-1], *action.new_path], columns)
            catalog.drop_table(statement.name_path)


def _inherited(node: Any, field: str) -> Any:
    """A field of a node or of the kinds that it inherits from; None where none of them has it."""
    while node is not None:
        if field in node.DESCRIPTOR.fields_by_name:
            return getattr(node, field)
        node = node.parent if "parent" in node.DESCRIPTOR.fields_by_name else None
    return None
