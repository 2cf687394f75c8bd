"""Browser, system and device of user agents: parse.py reads a text and is pure, user_agent_table.py keeps the table. No Dagster."""

from sessionization_dagster.user_agents.user_agent_table import UserAgentsUpdate, update_user_agents

__all__ = ["UserAgentsUpdate", "update_user_agents"]
