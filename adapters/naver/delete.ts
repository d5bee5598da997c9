/**
 * Giving nodes back. The operator terminates only servers that stand still, so one call of ours takes each node one step
 * further: out of its fabric cluster, off its public IP, stop, terminate. `busy` says that there are steps left.
 */
import { type OwnerTag, parseOwnerTag } from '../../shared/ids.ts'
import type { Call, DeleteRequest } from '../../shared/provider.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { NaverClient } from './client.ts'
import type { NaverSettings } from './config.ts'
import { listFabrics, membersOf, setMembers } from './fabric.ts'
import type { PublicIps } from './public-ips.ts'
import { listServers } from './servers.ts'
import { type Server, hasFailed, isIdle, isInFabricCluster, isTerminating, ownerOf } from './wire.ts'

interface DeleteParts {
  readonly client: NaverClient
  readonly settings: NaverSettings
  readonly publicIps: PublicIps
}

type DeleteStep = 'done' | 'refuse' | 'wait' | 'leave-fabric' | 'take-off-address' | 'stop' | 'terminate'

/** How each failed state is left: where it stands still, or may still run, is the operator's word for it. */
const FAILED_STEP: Readonly<Record<string, DeleteStep>> = {
  FSTOP: 'terminate',
  ST_FL: 'terminate', // it failed to start, so it stands
  SD_FL: 'stop', // it failed to stop, so it runs
  RS_FL: 'stop',
}

/** The next step towards a server's end; a table read from the top. */
function nextDeleteStep(server: Server, adopted: ReadonlySet<string>): DeleteStep {
  if (isTerminating(server)) return 'done'
  // Not one of ours, or protected by somebody's decision: neither is overruled here.
  const isOurs = ownerOf(server) !== null || adopted.has(server.serverInstanceNo)
  if (!isOurs || server.isProtectServerTermination) return 'refuse'
  if (!isIdle(server) && !hasFailed(server)) return 'wait'
  if (isInFabricCluster(server)) return 'leave-fabric'
  if (server.publicIpInstanceNo !== '') return 'take-off-address'
  if (server.serverInstanceStatus === 'RUN') return 'stop'
  if (server.serverInstanceStatus === 'NSTOP') return 'terminate'
  return FAILED_STEP[server.serverInstanceStatus] ?? 'wait'
}

interface Progress {
  /** Nodes that need another call. */
  waiting: number
  /** Whether the operator accepted anything. */
  changed: boolean
  readonly errors: ProviderError[]
}

/**
 * @throws ProviderError `busy` while steps are left; `refused` for a server that is protected or carries no tag, once
 *   all others were taken further
 */
export async function deleteNodes(parts: DeleteParts, request: DeleteRequest, call: Call): Promise<void> {
  const wanted = new Set(request.providerInstanceIds)
  const adopted = new Set(request.adopted)
  const servers = (await listServers(parts.client, call)).filter((server) => wanted.has(server.serverInstanceNo))
  const progress: Progress = { waiting: 0, changed: false, errors: [] }
  const at = (step: DeleteStep) => servers.filter((server) => nextDeleteStep(server, adopted) === step)

  progress.waiting += at('wait').length
  for (const server of at('refuse')) progress.errors.push(refusal(server))
  await attempt(progress, () => parts.publicIps.deleteTakenOff(call))
  await control(parts, { servers: at('terminate'), order: 'terminate' }, progress, call)
  await control(parts, { servers: at('stop'), order: 'stop' }, progress, call)
  for (const server of at('take-off-address')) {
    progress.waiting += 1
    if (await attempt(progress, () => parts.publicIps.takeOff(server, call))) progress.changed = true
  }
  await leaveFabrics(parts, { servers: at('leave-fabric'), adopted }, progress, call)
  throwWhatIsLeft(progress, parts.settings)
}

const refusal = (server: Server) =>
  new ProviderError(
    'refused',
    server.isProtectServerTermination
      ? `server ${server.serverInstanceNo} is protected from termination`
      : `server ${server.serverInstanceNo} carries no owner tag`,
    { effect: 'none' },
  )

/** Whether it was done; what stands in the way is noted, so that the other nodes get their turn. */
async function attempt(progress: Progress, step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step()
    return true
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    progress.errors.push(error)
    return false
  }
}

function throwWhatIsLeft({ waiting, changed, errors }: Progress, { busyRetryMs }: NaverSettings): void {
  const error = errors.find(({ kind }) => kind !== 'busy')
  if (error !== undefined) throw error
  if (waiting === 0 && errors.length === 0) return
  throw new ProviderError('busy', 'nodes are on their way out; steps are left', {
    effect: changed ? 'maybe' : 'none',
    code: errors[0]?.code ?? null,
    providerMessage: errors[0]?.providerMessage ?? null,
    retryAfterMs: busyRetryMs,
  })
}

// --- stop and terminate

type Order = 'stop' | 'terminate'

const ORDER_ACTION: Readonly<Record<Order, string>> = {
  stop: 'stopServerInstances',
  terminate: 'terminateServerInstances',
}

const OTHER: Readonly<Record<Order, Order>> = { stop: 'terminate', terminate: 'stop' }

interface Control {
  readonly servers: readonly Server[]
  readonly order: Order
}

async function control(parts: DeleteParts, { servers, order }: Control, progress: Progress, call: Call): Promise<void> {
  const { controlBatch } = parts.settings
  if (order === 'stop') progress.waiting += servers.length
  for (let start = 0; start < servers.length; start += controlBatch) {
    const batch = servers.slice(start, start + controlBatch)
    const error = await giveOrder(parts, { servers: batch, order }, progress, call)
    if (error === null) continue
    if (!isAboutServers(error)) progress.errors.push(error)
    else
      for (const server of batch)
        await controlOne(parts, { server, order, error, alone: batch.length === 1 }, progress, call)
  }
}

/** One server in the wrong state makes the operator refuse the whole batch. Other errors would only repeat themselves. */
const isAboutServers = ({ kind, effect }: ProviderError): boolean =>
  effect === 'none' && (kind === 'busy' || kind === 'refused' || kind === 'not-found')

interface ControlOne {
  readonly server: Server
  readonly order: Order
  /** What the operator said to the batch. */
  readonly error: ProviderError
  /** Whether the server was the whole batch, so that the answer was its own. */
  readonly alone: boolean
}

async function controlOne(parts: DeleteParts, one: ControlOne, progress: Progress, call: Call): Promise<void> {
  const { server, order, alone } = one
  const error = alone ? one.error : await giveOrder(parts, { servers: [server], order }, progress, call)
  if (error === null || error.kind === 'not-found') return
  // Which order a failed server takes is not documented: where one is refused, the other is tried.
  const mayTryOther = hasFailed(server) && error.kind === 'refused'
  const last = mayTryOther ? await giveOrder(parts, { servers: [server], order: OTHER[order] }, progress, call) : error
  if (last !== null) progress.errors.push(last)
  else if (OTHER[order] === 'stop') progress.waiting += 1
}

async function giveOrder(
  { client }: DeleteParts,
  { servers, order }: Control,
  progress: Progress,
  call: Call,
): Promise<ProviderError | null> {
  const serverInstanceNoList = servers.map((server) => server.serverInstanceNo)
  try {
    await client.change({ action: ORDER_ACTION[order], parameters: { serverInstanceNoList } }, call)
    progress.changed = true
    return null
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
}

// --- fabric clusters

interface Leaving {
  readonly servers: readonly Server[]
  readonly adopted: ReadonlySet<string>
}

/**
 * For nodes whose fabric cluster nobody dissolved: an orphan's, one that lost its allocation, or one that somebody made
 * by hand for nodes that were taken over. The others stay in it.
 */
async function leaveFabrics(parts: DeleteParts, { servers, adopted }: Leaving, progress: Progress, call: Call) {
  progress.waiting += servers.length
  if (servers.length === 0) return
  await attempt(progress, async () => {
    for (const fabric of await listFabrics(parts.client, call)) {
      const owner = parseOwnerTag(fabric.fabricClusterDescription)
      const leaving = servers.filter(
        (server) => adopted.has(server.serverInstanceNo) || isOfOneAllocation(ownerOf(server), owner),
      )
      if (leaving.length === 0 || fabric.fabricClusterStatus !== 'RUN') continue
      const ids = new Set(leaving.map((server) => server.serverInstanceNo))
      const members = await membersOf(parts.client, fabric.fabricClusterNo, call)
      const staying = members.filter((id) => !ids.has(id))
      if (staying.length === members.length) continue
      await setMembers(parts.client, fabric.fabricClusterNo, staying, call)
      progress.changed = true
    }
  })
}

const isOfOneAllocation = (own: OwnerTag | null, its: OwnerTag | null): boolean =>
  own !== null && own.installationId === its?.installationId && own.allocationId === its.allocationId
