/** The migrations in order. Forward only: what has run anywhere is never edited, a correction is a new one. */
import type { Migration } from 'kysely/migration'
import * as first from './0001-first.ts'
import * as promises from './0003-promises.ts'
import * as standings from './0003-standings.ts'
import * as idleUse from './0004-idle-use.ts'
import * as sweeps from './0005-sweeps.ts'
import * as circuitsAndNetworks from './0006-circuits-and-networks.ts'
import * as quarantine from './0007-quarantine.ts'
import * as events from './0008-events.ts'
import * as usageAndAudit from './0009-usage-and-audit.ts'
import * as proof from './0010-proof.ts'
import * as formerClusters from './0011-former-clusters.ts'
import * as labelIndex from './0012-label-index.ts'
import * as toldAndTraced from './0013-told-and-traced.ts'
import * as displacedIndex from './0014-displaced-index.ts'
import * as labelIndexAtOnce from './0015-label-index-at-once.ts'
import * as olderSecrets from './0016-older-secrets.ts'

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first': first,
  '0003-promises': promises,
  '0003-standings': standings,
  '0004-idle-use': idleUse,
  '0005-sweeps': sweeps,
  '0006-circuits-and-networks': circuitsAndNetworks,
  '0007-quarantine': quarantine,
  '0008-events': events,
  '0009-usage-and-audit': usageAndAudit,
  '0010-proof': proof,
  '0011-former-clusters': formerClusters,
  '0012-label-index': labelIndex,
  '0013-told-and-traced': toldAndTraced,
  '0014-displaced-index': displacedIndex,
  '0015-label-index-at-once': labelIndexAtOnce,
  '0016-older-secrets': olderSecrets,
}
