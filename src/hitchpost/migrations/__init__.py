"""The schema's history. Run as a program of its own, so that the server's process never loads it: `python -m hitchpost.migrations`."""
