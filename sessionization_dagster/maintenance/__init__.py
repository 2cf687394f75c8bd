"""Jobs for the seldom cases: everything rebuilt, marked days repaired."""
