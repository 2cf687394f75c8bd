"""The analyzer as compiled to WebAssembly: its start, its language and its calls. Runs in the analyzer's own environment."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from wasmtime import Config
from zetasql.core import wasm_client
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as calls
from zetasql.wasi._pb2.zetasql.proto import options_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public

# What the analyzer's language has and BigQuery's has not (or not for everybody): a statement that uses it must be refused.
NOT_IN_BIGQUERY = """
AGGREGATE_FILTERING ALIASES_FOR_STRING_AND_DATE_FUNCTIONS ALLOW_CONSECUTIVE_ON ARRAY_AGGREGATION_FUNCTIONS ARRAY_EQUALITY
ARRAY_FIND_FUNCTIONS ARRAY_GREATEST_LEAST ARRAY_ORDERING ARRAY_ZIP BRACED_PROTO_CONSTRUCTORS CHAINED_FUNCTION_CALLS DML_RETURNING
FILTER_FIELDS FIRST_AND_LAST_N FOR_UPDATE INLINE_LAMBDA_ARGUMENT INSERT_ON_CONFLICT_CLAUSE JSON_TYPE_COMPARISON
L1_NORM L2_NORM LATERAL_COLUMN_REFERENCES LATERAL_JOIN LIMIT_ALL LIMIT_OFFSET_EXPRESSIONS LITERAL_CONCATENATION MANHATTAN_DISTANCE
MAP_TYPE MULTILEVEL_AGGREGATION MULTIWAY_UNNEST NULLIFZERO_ZEROIFNULL PI_FUNCTIONS RELAXED_WITH_RECURSIVE REPLACE_FIELDS ROW_TYPE
STRUCT_BRACED_CONSTRUCTORS STRUCT_POSITIONAL_ACCESSOR TIMESTAMP_NANOS TIMESTAMP_PICOS TOP_LEVEL_TABLE_STATEMENTS
UNNEST_AND_FLATTEN_ARRAYS UPDATE_CONSTRUCTOR UUID_TYPE WITH_GROUP_ROWS WITH_RECURSIVE_DEPTH_MODIFIER
"""

# BigQuery has these; the analyzer leaves them out of what it takes for the language at large.
ALSO_IN_BIGQUERY = """
ALTER_COLUMN_SET_DATA_TYPE CLONE_DATA COLLATION_SUPPORT CREATE_TABLE_CLONE CREATE_VIEWS_WITH_COLUMN_OPTIONS DISABLE_FLOAT32
"""


class Service(wasm_client.WasmClient):  # type: ignore[misc]
    """The analyzer, with its machine code kept in `cache`: compiling takes half a minute, reading it again half a second."""

    def __init__(self, cache: Path) -> None:
        settings = cache / "wasmtime.toml"
        cache.mkdir(parents=True, exist_ok=True)
        settings.write_text(f'[cache]\ndirectory = "{cache.resolve()}"\n')

        def cached_config() -> Config:
            config = Config()
            config.cache = str(settings)
            return config

        wasm_client.Config = cached_config
        super().__init__(str(get_wasm_path()))
        self.language = self._language()

    def write_bytes(self, ptr: int, data: bytes) -> None:
        """As inherited, at once: a byte at a time costs seconds for a catalog."""
        ctypes.memmove(ctypes.addressof(self.memory.data_ptr().contents) + ptr, data, len(data))

    def read_bytes(self, ptr: int, size: int) -> bytes:
        """As inherited, at once."""
        return ctypes.string_at(ctypes.addressof(self.memory.data_ptr().contents) + ptr, size)

    def parse_script(self, sql: bytes) -> Any:
        """The tree of a script (of a single statement, too), with the bytes of each part."""
        request = calls.ParseRequest(sql_statement=sql.decode(), options=self.language, allow_script=True)
        return self.call_grpc_func("ZetaSqlLocalService_Parse", request, calls.ParseResponse).parsed_script

    def _language(self) -> Any:
        request = calls.LanguageOptionsRequest(maximum_features=True)
        language = self.call_grpc_func(
            "ZetaSqlLocalService_GetLanguageOptions", request, options_pb2.LanguageOptionsProto
        )
        features = set(language.enabled_language_features)
        features -= {_number(name) for name in NOT_IN_BIGQUERY.split()}
        features |= {_number(name) for name in ALSO_IN_BIGQUERY.split()}
        del language.enabled_language_features[:]
        language.enabled_language_features.extend(sorted(features))
        del language.supported_statement_kinds[:]  # none named: all kinds
        language.product_mode = public.PRODUCT_EXTERNAL
        return language


def _number(feature: str) -> int:
    return int(public.LanguageFeature.Value(f"FEATURE_{feature}"))
