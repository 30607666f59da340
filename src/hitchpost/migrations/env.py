"""Alembic's entry: runs the history on the connection that `__main__` hands over."""

from alembic import context

import hitchpost.connect.models
import hitchpost.events.models
import hitchpost.people.models
import hitchpost.profiles.models
import hitchpost.tokens.models
import hitchpost.workspaces.models  # noqa: F401  (importing a room's models puts its tables into the metadata)
from hitchpost.db.base import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
