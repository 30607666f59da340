"""What connections show: their pictures are kept while they are open, however many, and forgotten afterwards."""

from datetime import timedelta

from sqlalchemy import text

from hitchpost.profiles.gallery import UNUSED_KEPT
from tests.support.house import House
from tests.support.people import settled_town

MANY = 40_000
"""More than a statement takes as values: 32,767 on PostgreSQL."""


async def test_R8_more_pictures_than_a_statement_takes_stop_no_connection_from_expiring(any_house: House) -> None:
    town = await settled_town(any_house)
    await (await town.browser("ada")).arrive("facebook", town.lantern)
    shown = {row["picture"] for row in await any_house.rows("SELECT picture FROM candidates WHERE picture <> ''")}
    assert shown
    columns = "id_scope, parent_id, name, handle, usable, verdict"
    more = f"""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
        INSERT INTO candidates (request_id, kind, external_id, position, picture, {columns})
        SELECT c.request_id, c.kind, 'many-' || n.i, n.i + 1000, 'picture-' || n.i, {columns}
        FROM n CROSS JOIN (SELECT * FROM candidates LIMIT 1) c
    """
    unused = "INSERT INTO pictures SELECT 'unused', 'unused', content_type, content, fetched_at FROM pictures LIMIT 1"
    for sql in (more, unused, "UPDATE pictures SET fetched_at = fetched_at - 172800000000"):
        await any_house.services.database.begin(lambda tx, sql=sql: tx.execute(text(sql)))  # type: ignore[misc]
    await any_house.services.engine.run_due()
    kept = {row["name"] for row in await any_house.rows("SELECT name FROM pictures")}
    assert kept == shown
    any_house.forward(UNUSED_KEPT + timedelta(minutes=1))
    await any_house.services.engine.run_due()
    assert await any_house.rows("SELECT status FROM authorization_requests") == [{"status": "expired"}]
