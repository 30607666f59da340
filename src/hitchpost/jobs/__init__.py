"""Runs what is due; what is due stands in the rooms' rows."""
