/** The fleet and who has it, as the store and the calendar say at the scrape: the same on every replica. */
import { gauge } from './definition.ts'

export const FLEET = {
  allocations: gauge({
    name: 'gpu_broker_allocations',
    help: 'Allocations in each status that is not final, by provider (none where there is no place).',
    unit: 'allocations',
    labels: ['status', 'provider'],
    next: '`GET /v1/allocations?status=…&providerId=…`. Many in `provisioning` or `releasing` for long: the provider’s calls and circuit.',
  }),
  nodes: gauge({
    name: 'gpu_broker_nodes',
    help: 'Nodes in service by cluster and state, each in one state: ready, building, failed (being replaced), quarantined, drained (out of service, found or unknown nodes included), reserved (held by an allocation and in none of these: not asked for yet, or on its way out), idle (nobody’s now).',
    unit: 'nodes',
    labels: ['cluster', 'state'],
    next: '`failed` or `quarantined` above 0: `GET /v1/allocations/{id}/nodes` and the provider’s findings. The states add up to the capacity, and to more only where there is a shortfall.',
  }),
  clusterCapacity: gauge({
    name: 'gpu_broker_cluster_capacity_nodes',
    help: 'Nodes that a cluster has now, by the phases of the inventory; drains are not taken off.',
    unit: 'nodes',
    labels: ['cluster'],
    next: 'Where it is not what the operator runs: the inventory, `POST /v1/operations/inventory/reload`.',
  }),
  clusterShortfall: gauge({
    name: 'gpu_broker_cluster_shortfall_nodes',
    help: 'Nodes reserved now beyond what capacity, drains and quarantine leave of a cluster.',
    unit: 'nodes',
    labels: ['cluster'],
    next: '`GET /v1/clusters/{id}` and its drains: what fell away, and which running allocations have to end early.',
  }),
  quarantineNodes: gauge({
    name: 'gpu_broker_quarantine_nodes',
    help: 'Nodes whose release the operator has not confirmed in time, by cluster.',
    unit: 'nodes',
    labels: ['cluster'],
    next: 'Whether the operator still lists them; then the operator’s support, with the instance ids of the allocation’s nodes.',
  }),
  quarantineOldestSeconds: gauge({
    name: 'gpu_broker_quarantine_oldest_seconds',
    help: 'Age of the oldest quarantine of a cluster.',
    unit: 'seconds',
    labels: ['cluster'],
    next: 'As `gpu_broker_quarantine_nodes`.',
  }),
  meteringGap: gauge({
    name: 'gpu_broker_metering_gap_allocations',
    help: 'Active allocations whose use no open span counts; must be 0.',
    unit: 'allocations',
    next: 'A fault of the broker: hours are not counted. Compare `GET /v1/usage` with the allocation’s events, and tell the developers.',
  }),
  frozen: gauge({
    name: 'gpu_broker_frozen',
    help: '1 while nothing is made or deleted at the provider because somebody froze it, else 0; provider all: every one is.',
    unit: 'none',
    labels: ['provider'],
    next: 'Who froze it and why: the audit trail, action `freeze`. `POST /v1/operations/unfreeze` lets it go on.',
  }),
  deletesHeld: gauge({
    name: 'gpu_broker_deletes_held',
    help: '1 while deletions wait for a person since a restore, else 0.',
    unit: 'none',
    next: 'The findings of each provider’s sweep; once they are explained, `POST /v1/operations/resume-deletes`.',
  }),
}
