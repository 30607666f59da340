"""From connection URL to attached profiles: the one thing Hitchpost exists for. Read service.py from top to bottom."""
