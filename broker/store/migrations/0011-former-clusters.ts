/**
 * Clusters that the catalogue does not name any more: what still lies there is rebuilt with their last facts, without going
 * through the whole log for them.
 */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table calendar_head add column former_clusters jsonb not null default '[]'`.execute(db)
  // Those that an installation has dropped before stand in the log's catalogues; of each, the last facts count.
  await sql`
    update calendar_head set former_clusters = coalesce((
      select jsonb_agg(last.cluster order by last.id) from (
        select distinct on (named->>'id') named->>'id' as id, named as cluster
        from calendar_log, jsonb_array_elements(op->'clusters') as named
        where op->>'op' = 'catalogue'
        order by named->>'id', version desc
      ) as last
      where not exists (
        select 1 from jsonb_array_elements(catalogue) as listed where listed->>'id' = last.id
      )
    ), '[]'::jsonb)`.execute(db)
}
