"""The database: one way to write SQL, on SQLite and on PostgreSQL."""
