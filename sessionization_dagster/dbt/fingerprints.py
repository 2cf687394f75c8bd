"""Fingerprints of models: a digest of the SQL, and the seeds and versioned tables that a model reads. They determine its rows. Pure.

dbt's own state comparison looks at files: there a comment counts as a change, and a var does not. Here the compiled SQL counts, so that a
table is rebuilt only if its rows may differ. Views have no rows of their own: their SQL counts as part of the models that read them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

STORED = ("date_overwrite", "frontier", "rollup")
#: Config values that are set by this module.
FINGERPRINT, MADE_OF = "fingerprint", "made_of"
_STRING_OR_OTHER = re.compile(r"('(?:[^'\\]|\\.|'')*')")
_COMMENT = re.compile(r"--[^\n]*")


class Fingerprint(NamedTuple):
    """The fingerprint of one model.

    Attributes:
        digest: the digest of its SQL.
        made_of: unique ids of the seeds and of the sources with `meta: {versioned: true}` that it reads, through views too.
    """

    digest: str
    made_of: tuple[str, ...]


def fingerprints(nodes: Iterable[Any], sources: Mapping[str, Any], database: str | None) -> dict[str, Fingerprint]:
    """Unique id -> fingerprint of the models that are stored as tables.

    Args:
        nodes: dbt's model nodes, compiled.
        sources: dbt's source nodes by unique id.
        database: the database name in the SQL that the digest ignores, because DuckDB names it after its file; None: nothing is ignored.
    """
    models = {node.unique_id: node for node in nodes}
    known: dict[str, Fingerprint] = {}

    def of(unique_id: str) -> Fingerprint:
        if unique_id not in known:
            node = models[unique_id]
            parts = [_without_layout(str(node.compiled_code), database), _own_config(node)]
            made_of = set()
            for parent in sorted(set(node.depends_on.nodes)):
                if parent in models and models[parent].config.materialized not in STORED:
                    view = of(parent)
                    parts.append(view.digest)
                    made_of |= set(view.made_of)
                elif parent.startswith("seed.") or (parent in sources and sources[parent].meta.get("versioned")):
                    made_of.add(parent)
            digest = hashlib.md5("\0".join(parts).encode(), usedforsecurity=False).hexdigest()
            known[unique_id] = Fingerprint(digest, tuple(sorted(made_of)))
        return known[unique_id]

    return {unique_id: of(unique_id) for unique_id, node in models.items() if node.config.materialized in STORED}


def from_json(text: str) -> dict[str, Fingerprint]:
    """Read what json.dumps has written."""
    return {unique_id: Fingerprint(digest, tuple(made_of)) for unique_id, (digest, made_of) in json.loads(text).items()}


def _without_layout(sql: str, database: str | None) -> str:
    """The SQL without comments, and with one blank for each run of whitespace. String constants stay as they are."""
    if database is not None:
        sql = sql.replace(f'"{database}".', "")
    pieces: Sequence[str] = _STRING_OR_OTHER.split(sql)
    texts = [piece if place % 2 else re.sub(r"\s+", " ", _COMMENT.sub("", piece)) for place, piece in enumerate(pieces)]
    return "".join(texts).strip()


def _own_config(node: Any) -> str:
    """The config that the project's own materialisations read, as text."""
    of_dbt = {field.name for field in fields(node.config)} - {"materialized"}
    config = node.config.to_dict(omit_none=True)
    own = {name: config[name] for name in config if name not in of_dbt | {FINGERPRINT, MADE_OF}}
    return json.dumps(own, sort_keys=True, default=str)
