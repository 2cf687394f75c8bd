"""The visual report: queries of the output tables, and one self-contained HTML page with the answers. No Dagster, no clock."""
