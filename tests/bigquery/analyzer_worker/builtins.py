"""What every BigQuery project has and the analyzer does not bring: type names, functions, options, system variables."""

from __future__ import annotations

from typing import Any

from zetasql.wasi._pb2.zetasql.proto import function_pb2, options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import function_pb2 as kinds
from zetasql.wasi._pb2.zetasql.public import type_pb2

_SYSTEM_VARIABLES = {
    "row_count": type_pb2.TYPE_INT64,
    "time_zone": type_pb2.TYPE_STRING,
    "error.message": type_pb2.TYPE_STRING,
    "error.statement_text": type_pb2.TYPE_STRING,
    "script.job_id": type_pb2.TYPE_STRING,
}

# Options of tables, views, columns and functions. The type of labels and tags is left open.
_OPTIONS = {
    "default_rounding_mode": type_pb2.TYPE_STRING,
    "description": type_pb2.TYPE_STRING,
    "expiration_timestamp": type_pb2.TYPE_TIMESTAMP,
    "friendly_name": type_pb2.TYPE_STRING,
    "kms_key_name": type_pb2.TYPE_STRING,
    "labels": None,
    "library": None,
    "max_staleness": None,
    "partition_expiration_days": type_pb2.TYPE_DOUBLE,
    "privacy_policy": type_pb2.TYPE_STRING,
    "require_partition_filter": type_pb2.TYPE_BOOL,
    "rounding_mode": type_pb2.TYPE_STRING,
    "tags": None,
}


def system_variables() -> list[Any]:
    """The system variables that a script may read."""
    return [
        options_pb2.AnalyzerOptionsProto.SystemVariableProto(
            name_path=name.split("."), type=type_pb2.TypeProto(type_kind=kind)
        )
        for name, kind in _SYSTEM_VARIABLES.items()
    ]


def allowed_options() -> Any:
    """The options that BigQuery knows; others are refused."""
    allowed = options_pb2.AllowedHintsAndOptionsProto(disallow_unknown_options=True)
    for name, kind in _OPTIONS.items():
        option = allowed.option.add(name=name)
        if kind is not None:
            option.type.type_kind = kind
    return allowed


def type_names() -> list[Any]:
    """BigQuery's other names of INT64."""
    return [
        simple_catalog_pb2.SimpleCatalogProto.NamedTypeProto(
            name=name, type=type_pb2.TypeProto(type_kind=type_pb2.TYPE_INT64)
        )
        for name in ("bigint", "byteint", "int", "integer", "smallint", "tinyint")
    ]


def functions() -> list[Any]:
    """MAX_BY and MIN_BY: any value, by anything that has an order."""

    def argument(kind: int) -> Any:
        return function_pb2.FunctionArgumentTypeProto(kind=kind, num_occurrences=1)

    by = argument(kinds.ARG_TYPE_ANY_2)
    by.options.must_support_ordering = True
    signature = function_pb2.FunctionSignatureProto(
        return_type=argument(kinds.ARG_TYPE_ANY_1), argument=[argument(kinds.ARG_TYPE_ANY_1), by]
    )
    return [
        function_pb2.FunctionProto(
            name_path=[name], group="bigquery", mode=kinds.FunctionEnums.AGGREGATE, signature=[signature]
        )
        for name in ("max_by", "min_by")
    ]
