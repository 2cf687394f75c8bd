"""How many tables a statement scans if each CTE is written out wherever it is read, as BigQuery may do."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp


def table_scans(tree: exp.Expr, ctes: Mapping[str, int] | None = None) -> int:
    """The scans of a parsed statement. ctes: name -> scans, of the CTEs around it."""
    known = dict(ctes or {})
    with_ = tree.args.get("with_") or tree.args.get("with")
    for cte in with_.expressions if with_ else ():
        known[cte.alias] = table_scans(cte.this, known)
    own = 0
    if isinstance(tree, exp.Table) and isinstance(tree.this, exp.Identifier):
        own = 1 if tree.db else known.get(tree.name, 0)
    return own + sum(table_scans(child, known) for child in tree.iter_expressions() if child is not with_)
