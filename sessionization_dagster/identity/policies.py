"""Which sightings link a device to a user: the contract's three identity policies, and alias calls in all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sessionization_dagster.identity.graph import Ids, Sightings, name_persons


class Policy(StrEnum):
    """Whose a device is that several users logged in on."""

    LATEST_USER = "latest_user"
    FIRST_USER = "first_user"
    MERGE = "merge"


@dataclass(frozen=True)
class IdentitySettings:
    """The dbt vars identity_policy and max_users_per_alias."""

    policy: Policy
    max_users_per_alias: int


def resolve(sightings: Sightings, settings: IdentitySettings) -> Ids:
    """Return, for each id, the id that names its person: (n,) int32."""
    sightings = _without_calls_of_shared_devices(sightings, settings)
    linking = (
        _merged_pairs(sightings, settings) if settings.policy is Policy.MERGE else _owners(sightings, settings.policy)
    )
    left = np.concatenate([sightings.pair_anonymous[linking], sightings.alias_left])
    right = np.concatenate([sightings.pair_user[linking], sightings.alias_right])
    return name_persons(sightings, left, right)


def _without_calls_of_shared_devices(sightings: Sightings, settings: IdentitySettings) -> Sightings:
    """Leave out the alias calls of ids that such calls join with too many others: they link nothing."""
    is_shared = sightings.alias_count > settings.max_users_per_alias
    links = ~(is_shared[sightings.alias_left] | is_shared[sightings.alias_right])
    return replace(sightings, alias_left=sightings.alias_left[links], alias_right=sightings.alias_right[links])


def _merged_pairs(sightings: Sightings, settings: IdentitySettings) -> NDArray[np.bool_]:
    """Mark every pair but those of shared devices: a device seen with too many users links nobody."""
    within: NDArray[np.bool_] = sightings.user_count[sightings.pair_anonymous] <= settings.max_users_per_alias
    return within


def _owners(sightings: Sightings, policy: Policy) -> NDArray[np.bool_]:
    """Mark the one pair that says whose each device is: that of its newest (oldest) event with both ids.

    An id that is a user itself stays that user, and one that is named in an alias call that links follows the alias.
    """
    follows_logins = ~sightings.is_user
    follows_logins[sightings.alias_left] = False
    follows_logins[sightings.alias_right] = False
    rank = -sightings.pair_last if policy is Policy.LATEST_USER else sightings.pair_first
    order = np.lexsort((rank, sightings.pair_anonymous))
    device = sightings.pair_anonymous[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = device[1:] != device[:-1]
    marked = np.zeros(len(order), dtype=np.bool_)
    marked[order[is_first]] = True
    return marked & follows_logins[sightings.pair_anonymous]
