/**
 * What the operator says when it will not: refusals of the gateway (before any service is reached) and of the services.
 * The codes of csp/naver.md §9 are facts. Where no code is known publicly one is made up, and all of those stand in
 * `INVENTED` alone: nothing may be concluded from their digits.
 */

export interface GatewayRefusal {
  readonly status: number
  readonly errorCode: string
  readonly message: string
}

export const GATEWAY = {
  badRequest: { status: 400, errorCode: '100', message: 'Bad Request Exception' },
  authenticationFailed: { status: 401, errorCode: '200', message: 'Authentication Failed' },
  permissionDenied: { status: 401, errorCode: '210', message: 'Permission Denied' },
  notFound: { status: 404, errorCode: '300', message: 'Not Found Exception' },
  entityTooLarge: { status: 413, errorCode: '430', message: 'Request Entity Too Large' },
  rateLimited: { status: 429, errorCode: '420', message: 'Rate Limited' },
  endpointError: { status: 503, errorCode: '500', message: 'Endpoint Error' },
  unexpected: { status: 500, errorCode: '900', message: 'Unexpected Error' },
} as const satisfies Record<string, GatewayRefusal>

const KNOWN = {
  operationInProgress: '1100031',
  storageInOperation: '1101003',
  serverLimit: '3005004',
  publicIpTooEarly: '1003016',
  publicIpInitialising: '1080101',
  publicIpNotAssociated: '28102',
  publicIpChanging: '25031',
  accessControlGroupNotFound: '1007000',
} as const

const INVENTED = {
  invalidParameter: '1000101',
  stockExhausted: '3005011',
  serverNotFound: '1100201',
  wrongServerStatus: '1100202',
  terminationProtected: '1100203',
  serverInFabricCluster: '1100204',
  additionalStorageAttached: '1100205',
  scriptInUse: '1120201',
  notFound: '1000102',
  duplicateName: '1000103',
  publicIpInUse: '1080201',
  publicIpLimit: '1080202',
  interfaceInUse: '1110201',
  storageInUse: '1101201',
  groupInUse: '1130201',
  fabricServerRefused: '1140201',
  fabricClusterBusy: '1140202',
  fabricClusterInUse: '1140203',
} as const

export const CODE = { ...KNOWN, ...INVENTED }

/** A refusal of a service: answered with HTTP 400 and `responseError`. */
export class ServiceRefusal extends Error {
  readonly code: keyof typeof CODE
  constructor(code: keyof typeof CODE, message: string) {
    super(message)
    this.code = code
  }
}

/** A refusal of the gateway: answered with `error`. */
export class GatewayRefused extends Error {
  readonly refusal: GatewayRefusal
  constructor(refusal: GatewayRefusal, details = '') {
    super(details)
    this.refusal = refusal
  }
}

export const invalidParameter = (name: string, why: string): ServiceRefusal =>
  new ServiceRefusal('invalidParameter', `Parameter ${name}: ${why}`)
