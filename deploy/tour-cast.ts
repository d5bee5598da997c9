/** Who asks for what in the tour: data, and nothing else. */
import type { AllocationRequest } from '../shared/allocation.ts'
import type { ApprovalRequest } from '../shared/approval.ts'
import { DAY_MS, HOUR_MS, toIso } from '../shared/time.ts'

export interface Asker {
  readonly approvalId: string
  readonly approval: ApprovalRequest
  readonly request: AllocationRequest
}

export interface Cast {
  /** 255 liquid-cooled Blackwell nodes in a cluster of 510. */
  readonly national: Asker
  /** 32 Hopper nodes. */
  readonly university: Asker
  /** Compute, not nodes. */
  readonly startup: Asker
  /** More nodes in one cluster than any has. */
  readonly tooLarge: Asker
  /** What the national project leaves no room for. */
  readonly waiting: Asker
}

export const NATIONAL_NODES = 255
export const UNIVERSITY_NODES = 32
export const STARTUP_FP8 = 576
export const TOO_MANY_NODES = 600
/** So many more nodes than are free beside the national project. */
export const WAITING_NODES = 64
export const LARGE_CLUSTER_NODES = 510

/** Marks what a tour made, so that the next one can clear up after one that was interrupted. */
export const TOUR_LABEL = { key: 'gpu-broker/tour', value: 'yes' } as const

const PERIOD_DAYS = 60

interface Written {
  readonly id: string
  readonly name: string
  readonly organizationId: string
  readonly organizationName: string
  readonly organizationType: NonNullable<ApprovalRequest['organizationType']>
  readonly program: string
  readonly priority: ApprovalRequest['priority']
  readonly maxNodes: number
  readonly asks: Pick<AllocationRequest, 'demand' | 'requires' | 'prefers'>
}

/** @param nodesInService of the large cluster, at `now` */
export function castOf(run: { readonly id: string; readonly now: number; readonly nodesInService: number }): Cast {
  const inTheLargeCluster = {
    architectures: ['blackwell'],
    cooling: ['liquid' as const],
    minClusterNodes: LARGE_CLUSTER_NODES,
  }
  const write = (written: Written): Asker => asker(written, run)
  return {
    national: write({
      id: 'national',
      name: 'foundation-model',
      organizationId: 'foundation-model-project',
      organizationName: '독자 AI 파운데이션 모델 프로젝트',
      organizationType: 'company',
      program: 'ai-foundation-model',
      priority: 'national',
      maxNodes: NATIONAL_NODES,
      asks: { demand: { nodes: NATIONAL_NODES }, requires: inTheLargeCluster },
    }),
    university: write({
      id: 'university',
      name: 'university-lab',
      organizationId: 'university-01',
      organizationName: 'A university',
      organizationType: 'university',
      program: 'academia',
      priority: 'standard',
      maxNodes: UNIVERSITY_NODES,
      asks: { demand: { nodes: UNIVERSITY_NODES }, requires: { architectures: ['hopper'] } },
    }),
    startup: write({
      id: 'startup',
      name: 'start-up-fp8',
      organizationId: 'startup-01',
      organizationName: 'A start-up',
      organizationType: 'startup',
      program: 'start-ups',
      priority: 'standard',
      maxNodes: STARTUP_FP8 / 8,
      asks: { demand: { fp8H200Equivalent: STARTUP_FP8 }, prefers: { provider: 'kakao' } },
    }),
    tooLarge: write({
      id: 'too-large',
      name: 'too-large',
      organizationId: 'company-01',
      organizationName: 'A company',
      organizationType: 'company',
      program: 'industry',
      priority: 'standard',
      maxNodes: TOO_MANY_NODES,
      asks: { demand: { nodes: TOO_MANY_NODES } },
    }),
    waiting: write({
      id: 'institute',
      name: 'institute',
      organizationId: 'institute-01',
      organizationName: 'A research institute',
      organizationType: 'institute',
      program: 'research',
      priority: 'standard',
      maxNodes: LARGE_CLUSTER_NODES,
      asks: {
        demand: { nodes: Math.max(0, run.nodesInService - NATIONAL_NODES) + WAITING_NODES },
        requires: inTheLargeCluster,
      },
    }),
  }
}

function asker(written: Written, run: { readonly id: string; readonly now: number }): Asker {
  const { id, name, organizationId, organizationName, organizationType, program, priority, maxNodes, asks } = written
  const approvalId = `tour-${run.id}-${id}`
  return {
    approvalId,
    approval: {
      organizationId,
      organizationName,
      organizationType,
      program,
      priority,
      limits: {
        maxNodes,
        gpuHours: maxNodes * 8 * 24 * PERIOD_DAYS * 2,
        architectures: ['blackwell', 'hopper'],
        validFrom: toIso(run.now - HOUR_MS),
        validTo: toIso(run.now + 365 * DAY_MS),
      },
      note: 'Made by the tour.',
    },
    request: {
      approvalId,
      name,
      ...asks,
      period: { durationHours: PERIOD_DAYS * 24 },
      labels: { [TOUR_LABEL.key]: TOUR_LABEL.value },
    },
  }
}
