"""The warehouses that hold the tables. One file each, behind the protocol of base.py."""
