"""What only TimescaleDB has: days that make themselves, and columnstore compression.

Hypertables and dropping their chunks are under the Apache licence. The columnstore and its policy
are under the Timescale licence ("community"): free to run, absent from Apache-only builds, where
days stay as they are. The calls are those of TimescaleDB 2.18 and later.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection, sql

STALE = timedelta(hours=36)  # a policy that ran every twelve hours would have run by now


def drop_chunks(conn: Connection[Any], table: str, cutoff: datetime, at_most: int) -> list[str]:
    """Drop the oldest chunks that end before; their names."""
    ends = [
        end
        for (end,) in conn.execute(
            """
            SELECT range_end FROM timescaledb_information.chunks
            WHERE hypertable_name = %s AND range_end <= %s ORDER BY range_end LIMIT %s
            """,
            (table, cutoff, at_most),
        )
    ]
    if not ends:
        return []
    dropped = conn.execute("SELECT drop_chunks(%s::regclass, %s::timestamptz)", (table, ends[-1]))
    return [str(name) for (name,) in dropped]


def has_columnstore(conn: Connection[Any]) -> bool:
    """Whether this TimescaleDB has the columnstore, by its licence and its version."""
    row = conn.execute(
        """
        SELECT current_setting('timescaledb.license', true) = 'timescale'
            AND EXISTS (SELECT FROM pg_proc WHERE proname = 'add_columnstore_policy')
        """
    ).fetchone()
    return bool(row and row[0])


def compress_after(
    conn: Connection[Any], table: str, segment_by: str, order_by: str, days: int
) -> None:
    """Have chunks compressed once they are this old; 0: never. What is compressed stays so."""
    present = _policy(conn, table)
    if present is not None and present[1] == days:
        return
    name = sql.Identifier(table)
    with conn.transaction():
        if present is not None:
            conn.execute("CALL remove_columnstore_policy(%s::regclass)", (table,))
        if days == 0:
            return
        conn.execute(
            sql.SQL(
                "ALTER TABLE {} SET (timescaledb.enable_columnstore,"
                " timescaledb.segmentby = {}, timescaledb.orderby = {})"
            ).format(name, sql.Literal(segment_by), sql.Literal(order_by))
        )
        conn.execute(
            sql.SQL("CALL add_columnstore_policy({}::regclass, after => {}::interval)").format(
                sql.Literal(table), sql.Literal(f"{days} days")
            )
        )


def run_stale_policy(conn: Connection[Any], table: str) -> bool:
    """Run the columnstore policy where no background worker does; whether it was run.

    conn: in autocommit mode and outside of a transaction; the policy makes its own.
    """
    present = _policy(conn, table)
    if present is None:
        return False
    row = conn.execute(
        """
        SELECT coalesce(max(last_run_started_at), '-infinity') < now() - %s
        FROM timescaledb_information.job_stats WHERE job_id = %s
        """,
        (STALE, present[0]),
    ).fetchone()
    if row is None or not row[0]:
        return False
    conn.execute(sql.SQL("CALL run_job({})").format(sql.Literal(present[0])))
    return True


def _policy(conn: Connection[Any], table: str) -> tuple[int, int | None] | None:
    """Number of the table's columnstore policy, and after how many days it compresses."""
    row = conn.execute(
        """
        SELECT job_id, extract(day FROM (config ->> 'compress_after')::interval)::int
        FROM timescaledb_information.jobs
        WHERE hypertable_name = %s AND proc_name = 'policy_compression'
        """,
        (table,),
    ).fetchone()
    return None if row is None else (int(row[0]), row[1])
