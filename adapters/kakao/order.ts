/**
 * What one create says: a group and the configuration → the body of Kakao's request, or a refusal before anything is
 * sent, for what is not configured and for what the operator's rules forbid.
 */
import { memberName, ownerTagText } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { NodeGroup } from '../../shared/provider.ts'
import type { KakaoCluster, KakaoNetwork, KakaoSettings } from './config.ts'
import { userDataOf } from './user-data.ts'

/** What Kakao's own client allows; the service's rule is not published. */
export const NODE_NAME = { maxLength: 63, pattern: /^(?!.*[-_]{2})[A-Za-z0-9][A-Za-z0-9_-]{2,61}[A-Za-z0-9]$/ }
const MAX_DESCRIPTION_CHARACTERS = 100

export interface Order {
  readonly group: NodeGroup
  readonly cluster: KakaoCluster
  /** The request's body without the name. */
  readonly instance: object
}

/** @throws ProviderError `refused` with effect `none` */
export function orderOf(settings: KakaoSettings, group: NodeGroup): Order {
  const cluster = settings.clusters[group.clusterId]
  if (cluster === undefined) throw refused(`the cluster ${group.clusterId} is not configured`)
  const imageId = cluster.images[group.imageAlias]
  if (imageId === undefined) throw refused(`the cluster ${group.clusterId} has no image ${group.imageAlias}`)
  const network = cluster.networks.find(({ name }) => name === group.network)
  if (network === undefined) throw refused(`the cluster ${group.clusterId} has no network ${group.network}`)
  if (!Number.isInteger(group.size) || group.size < 1 || group.size > cluster.maxBatch) {
    throw refused(`a group has 1 to ${cluster.maxBatch} nodes, not ${group.size}`)
  }
  const longest = memberName(group.name, group.size)
  if (!NODE_NAME.pattern.test(longest)) throw refused(`${longest} is not a name that the operator takes`)
  const description = ownerTagText(group.owner)
  if (description.length > MAX_DESCRIPTION_CHARACTERS) throw refused('the owner tag is longer than a description')
  const userData = userDataOf(group.sshPublicKeys, settings.userDataMaxBytes)
  return { group, cluster, instance: { description, ...instanceOf({ cluster, network, imageId, userData }) } }
}

interface Chosen {
  readonly cluster: KakaoCluster
  readonly network: KakaoNetwork
  readonly imageId: string
  readonly userData: string | null
}

/** Whatever has a default of its own at Kakao that documents and schema disagree about is said explicitly. */
const instanceOf = ({ cluster, network, imageId, userData }: Chosen): object => ({
  count: 1,
  image_id: imageId,
  flavor_id: cluster.flavorId,
  availability_zone: cluster.zone,
  subnets: [{ id: network.subnetId }],
  volumes: cluster.bareMetal ? null : [rootVolume(cluster, imageId)],
  security_groups: network.securityGroups.length === 0 ? null : network.securityGroups.map((name) => ({ name })),
  is_disable_hyper_threading: cluster.disableHyperThreading,
  ...(cluster.keyName === null ? {} : { key_name: cluster.keyName }),
  ...(userData === null ? {} : { user_data: userData }),
  ...(cluster.bareMetal ? { is_bonding: cluster.bonding } : {}),
})

const rootVolume = ({ rootVolumeGb, rootVolumeTypeId }: KakaoCluster, imageId: string): object => ({
  size: rootVolumeGb,
  source_type: 'image',
  uuid: imageId,
  is_delete_on_termination: true, // else the disk stays, and is billed, when the node is gone
  ...(rootVolumeTypeId === null ? {} : { type_id: rootVolumeTypeId }),
})

const refused = (message: string) => new ProviderError('refused', message, { effect: 'none', code: 'NOT_CONFIGURED' })
