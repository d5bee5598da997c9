/** Which events a reader gets: what it asked for, within what it may see.. */

export interface EventFilter {
  /** With the prefix, as events carry them; null for all. */
  readonly types: readonly string[] | null
  readonly allocationId: string | null
  /** Of a reader bound to an organisation or a provider. */
  readonly organizationId: string | null
  readonly providerId: string | null
}
