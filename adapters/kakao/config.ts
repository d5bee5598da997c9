/**
 * What has to be known to use KakaoCloud. Its documents leave much open (success codes, error wording, hosts outside
 * kr-central-2); whatever could not be confirmed is a member here with a default, never a constant in the code.
 */
import { z } from 'zod'
import { OwnerChosenId } from '../../shared/ids.ts'
import { BaseUrl, ClusterBase, ProviderBase, Secret } from '../../shared/provider-settings.ts'

const REGION_HOST = (service: string): string => `https://${service}.kr-central-2.kakaocloud.com`

const isRegExp = (text: string): boolean => {
  try {
    return new RegExp(text, 'i') instanceof RegExp
  } catch {
    return false
  }
}

/** Regular expressions, matched without regard to case against the operator's code and message. */
const Patterns = z.array(z.string().min(1).refine(isRegExp, 'must be a regular expression'))

/** One of the pool: `NodeGroup.network` names it. */
const Network = z.strictObject({
  name: OwnerChosenId,
  subnetId: z.string().min(1),
  /** Names, not ids: Kakao takes them by name. Not enforced on bare metal. */
  securityGroups: z.array(z.string().min(1)).max(16).default([]),
})

const Cluster = ClusterBase.extend({
  /** The flavor's id, not its name. */
  flavorId: z.string().min(1),
  /** Must be the zone of every subnet in `networks`. */
  zone: z.string().min(1),
  networks: z
    .array(Network)
    .min(1)
    .refine((networks) => new Set(networks.map(({ name }) => name)).size === networks.length, {
      message: 'must not name a network twice',
    }),
  /** A keypair that exists in the project; null: none. */
  keyName: z.string().min(1).nullable().default(null),
  /** Whether the flavor is of instance type `bm`: then no volumes are asked for. Default true. */
  bareMetal: z.boolean().default(true),
  /** Bare metal only: whether network interfaces are bonded. Default true. */
  bonding: z.boolean().default(true),
  /** Root disk of `vm` and `gpu` flavors in GB; at least the image's min_disk. Default 100. */
  rootVolumeGb: z.int().min(1).max(16_384).default(100),
  /** Volume type of that disk; null: the operator's default. */
  rootVolumeTypeId: z.string().min(1).nullable().default(null),
  /** Always sent, because schema and documents disagree on the default. Default false. */
  disableHyperThreading: z.boolean().default(false),
  /** Most nodes in one `createNodes`; each is a request of its own. Default 10. */
  maxBatch: z.int().min(1).max(100).default(10),
  /** Default 30,000: the official client tolerates ten 404s, three seconds apart, after a create. */
  visibilityDelayMs: z.int().min(0).max(3_600_000).default(30_000),
})

/**
 * Error codes are not published, so a kind is read from the words; quota is looked for first. They must say of *what*
 * there is too little: "exceeds the maximum length" and "insufficient privileges" are neither quota nor capacity.
 */
const ErrorWords = z.strictObject({
  quota: Patterns.default([
    'quota',
    'limit (has been |is )?(exceeded|reached)',
    'exceed\\w*\\b.{0,40}\\b(instance|server|node|project|resource)s?( \\w+)? limit',
    'maximum number of (instance|server|node|resource)s',
    '할당량',
    '쿼터',
    '한도',
  ]),
  outOfCapacity: Patterns.default([
    'no valid host',
    '(no|not enough|insufficient|lack of|out of)( [\\w-]+){0,3} (hosts?|nodes?|resources?|capacity|stock|gpus?|servers?)\\b',
    '(hosts?|nodes?|resources?|capacity|stock|gpus?)\\b.{0,20}\\b(unavailable|not available|exhausted|insufficient)',
    'sold out',
    '재고',
    '(자원|용량|리소스).*부족',
  ]),
})

export const KakaoSettings = ProviderBase.extend({
  kind: z.literal('kakao'),
  /** `/identity/v3/…` is appended to this one, `/api/v1/…` to the others. */
  iamUrl: BaseUrl.default('https://iam.kakaocloud.com'),
  bcsUrl: BaseUrl.default(REGION_HOST('bcs')),
  imageUrl: BaseUrl.default(REGION_HOST('image')),
  vpcUrl: BaseUrl.default(REGION_HOST('vpc')),
  networkUrl: BaseUrl.default(REGION_HOST('network')),
  volumeUrl: BaseUrl.default(REGION_HOST('volume')),
  /** An IAM access key: bound to one user, one project and the roles held there. */
  credential: z.strictObject({ id: Secret, secret: Secret }),
  /** Sent as X-Api-Version; null (the default): not sent. */
  apiVersion: z.string().min(1).nullable().default(null),
  /** Rows in one page; more than 1,000 is unverified. Default 1,000. */
  listLimit: z.int().min(2).max(10_000).default(1_000),
  /** Longest boot script before base64, in bytes. Default 16,384. */
  userDataMaxBytes: z.int().min(1).max(1_048_576).default(16_384),
  /** For how many failed nodes one list asks for the reason; the others are told in a later list. Default 10. */
  failureLookups: z.int().min(0).max(1_000).default(10),
  /** What a failed node means whose log says nothing. Default `fault`. */
  unexplainedFailure: z.enum(['fault', 'out-of-capacity']).default('fault'),
  /** What a 409 to a create means whose words say neither quota nor capacity. Default `busy`. */
  createConflict: z.enum(['busy', 'out-of-capacity', 'refused']).default('busy'),
  errorWords: ErrorWords.prefault({}),
  clusters: z.record(OwnerChosenId, Cluster).superRefine((clusters, context) => {
    const seen = new Map<string, string>()
    for (const [id, { flavorId, zone }] of Object.entries(clusters)) {
      const place = `${flavorId} ${zone}`
      const twin = seen.get(place)
      if (twin !== undefined) {
        const message = `has flavor and zone of ${twin}: their nodes could not be told apart`
        context.addIssue({ code: 'custom', path: [id], message })
      }
      seen.set(place, id)
    }
  }),
}).refine(({ clusters }) => Object.keys(clusters).length > 0, { path: ['clusters'], error: 'must have at least one' })

export type KakaoSettings = z.infer<typeof KakaoSettings>
export type KakaoCluster = KakaoSettings['clusters'][string]
export type KakaoNetwork = KakaoCluster['networks'][number]
