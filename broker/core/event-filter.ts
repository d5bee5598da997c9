/** Which events a reader gets: what it asked for, within what it may see. The store says the same in SQL. */

export interface EventFilter {
  /** With the prefix, as events carry them; null for all. */
  readonly types: readonly string[] | null
  readonly allocationId: string | null
  /** Of a reader bound to an organisation or a provider. */
  readonly organizationId: string | null
  readonly providerId: string | null
}

export interface Filterable {
  readonly type: string
  readonly allocationId: string | null
  readonly organizationId: string | null
  readonly providerId: string | null
}

const meets = (wanted: string | null, found: string | null): boolean => wanted === null || wanted === found

export const passes = (filter: EventFilter, event: Filterable): boolean =>
  (filter.types === null || filter.types.includes(event.type)) &&
  meets(filter.allocationId, event.allocationId) &&
  meets(filter.organizationId, event.organizationId) &&
  meets(filter.providerId, event.providerId)
