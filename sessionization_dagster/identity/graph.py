"""From sightings of identifiers to persons: links between ids, connected components, and each person's name.

Ids are numbers 0..n-1 in the code-point order of their text, so that comparing numbers compares texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Sightings:
    """What is known of n ids, m pairs seen on one event, and k alias calls.

    Attributes:
        is_user: (n,) bool; the id has stood in a user_id column.
        first_seen: (n,) int64; when it was first seen, microseconds since 1970.
        user_count: (n,) int64; how many users the id, as a device, was seen with, those outside the n ids included. Policy merge
            asks.
        pair_anonymous, pair_user: (m,) int32; distinct pairs.
        pair_first, pair_last: (m,) int64; rank of the pair's first and last event in (timestamp, event_id) order.
        alias_left, alias_right: (k,) int32; the two ids of each alias call.
        alias_count: (n,) int64; how many other ids alias calls join the id with, those outside the n ids included.
    """

    is_user: NDArray[np.bool_]
    first_seen: NDArray[np.int64]
    user_count: NDArray[np.int64]
    pair_anonymous: Ids
    pair_user: Ids
    pair_first: NDArray[np.int64]
    pair_last: NDArray[np.int64]
    alias_left: Ids
    alias_right: Ids
    alias_count: NDArray[np.int64]

    @property
    def size(self) -> int:
        """The number of ids, n."""
        return len(self.is_user)


def name_persons(sightings: Sightings, left: Ids, right: Ids) -> Ids:
    """Return, for each id, the id that names its person: (n,) int32.

    Persons are the connected components over the links (left[i], right[i]). A person is named by the user_id that was seen first,
    of several seen at once by the smallest; one without a user_id by the device of which the same is true.
    """
    n = sightings.size
    links = coo_array((np.ones(len(left), dtype=np.bool_), (left, right)), shape=(n, n))
    _, person = connected_components(links, directed=False)
    # Stable sorts, least important key first: among a person's ids users lead, the first seen first, the smallest first.
    best_first = np.lexsort((np.arange(n), sightings.first_seen, ~sightings.is_user, person))
    leads = np.ones(n, dtype=np.bool_)
    leads[1:] = person[best_first][1:] != person[best_first][:-1]
    name_of_person = best_first[leads].astype(np.int32)
    names: Ids = name_of_person[person]
    return names
