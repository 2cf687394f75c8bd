"""A person's ids as files spell them."""

from __future__ import annotations

from sessionization_dagster.erasure.ids import Ids


def test_ids_are_found_with_a_vendors_prefix_and_with_blanks_around_them() -> None:
    ids = Ids.of({"device-0001", "u7"}, ["$device:"])
    row = {"distinct_id": "$device:device-0001", "device_id": " device-0001 ", "user_id": " u7", "price": "u7x"}
    assert ids.blanked(row, {"u7"}) == {"distinct_id": None, "device_id": None, "user_id": None, "price": "u7x"}
    assert Ids.of({"device-0001"}).blanked("$device:device-0001", set()) == "$device:"
