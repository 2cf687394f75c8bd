"""What user agents say of browser, system and device: reading them is pure (parse), their table is store's. No Dagster."""

from sessionization_dagster.user_agents.store import UserAgentsUpdate, update_user_agents

__all__ = ["UserAgentsUpdate", "update_user_agents"]
