"""Erases a person: from the landing folder's files, from every table, and from the bytes of the warehouse's file."""
