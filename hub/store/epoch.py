"""The epoch: a random id of this database, renewed when it is restored or begun anew.

Within an epoch the edge keeps the highest watermark it was told; under a new one watermarks may
go down, and the edge sends again what it still has.

`gridwarden restore` makes another database, and empties `hub` besides. A restore that leaves no
trace, such as a copied data folder, is told by `DELETE FROM hub`.
"""

from __future__ import annotations

import secrets
from typing import Any

from psycopg import Connection

# another cluster, another timeline (a point-in-time recovery) or another database (a dump that
# was loaded): the rows may be older than what was acknowledged from here before
_INCARNATION = """
SELECT s.system_identifier || '/' || c.timeline_id || '/' || d.oid
FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
WHERE d.datname = current_database()
"""


def current_epoch(conn: Connection[Any]) -> str:
    """The epoch, renewed first where this database is not the one it was given to."""
    incarnation = conn.execute(_INCARNATION).fetchone()
    assert incarnation is not None
    row = conn.execute(
        """
        INSERT INTO hub (epoch, incarnation) VALUES (%(epoch)s, %(incarnation)s)
        ON CONFLICT (only_row) DO UPDATE SET
            epoch = CASE WHEN hub.incarnation = %(incarnation)s THEN hub.epoch ELSE %(epoch)s END,
            incarnation = %(incarnation)s
        RETURNING epoch
        """,
        {"epoch": secrets.token_hex(8), "incarnation": incarnation[0]},
    ).fetchone()
    assert row is not None
    return str(row[0])
