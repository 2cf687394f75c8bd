"""The visual report: questions to the output tables, and one self-contained HTML page of the answers. No Dagster, no clock."""
