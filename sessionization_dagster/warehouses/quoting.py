"""Texts as SQL constants and names, in DuckDB's dialect."""


def literal(text: str) -> str:
    """The text as an SQL string constant."""
    # A NUL would end the statement.
    return " || chr(0) || ".join("'" + part.replace("'", "''") + "'" for part in text.split("\0"))


def identifier(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
