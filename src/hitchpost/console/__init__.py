"""The home page. Reads the rooms' services, owns no tables."""
