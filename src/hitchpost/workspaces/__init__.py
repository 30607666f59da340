"""Tenants, their members and roles, and the API keys of people: who calls is decided here."""
