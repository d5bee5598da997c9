/**
 * Ids are opaque texts with a type prefix and 16 characters of `[a-z2-7]` (80 random bits). The characters are handed
 * in by the caller (`broker/app/ids.ts`), because this folder and the core have no randomness.
 */
import { z } from 'zod'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const ID_CHARACTERS = 16

export type IdPrefix = 'alc' | 'dec' | 'evt' | 'whk' | 'dlv' | 'drn' | 'ins'

/** Ten random bytes → `alc_` + 16 characters, five bits each. */
export function idFromBytes(prefix: IdPrefix, bytes: Uint8Array): string {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt((buffer >> bits) & 31)
    }
  }
  return `${prefix}_${text.slice(0, ID_CHARACTERS)}`
}

export const prefixed = (prefix: IdPrefix, noun: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[a-z2-7]{16}$`), `must be ${prefix}_ and 16 of [a-z2-7]`)
    .meta({
      description: `Id of ${noun}: \`${prefix}_\` and 16 of \`[a-z2-7]\`.`,
      example: `${prefix}_abcdefghijklmnop`,
    })

export const AllocationId = prefixed('alc', 'an allocation')
export const DecisionId = prefixed('dec', 'a decision')
export const DrainId = prefixed('drn', 'a drain')
export const EventId = prefixed('evt', 'an event')

/** Ids that their owners choose: approvals, organisations, providers, clusters. */
// `.` and `..` are steps of a path to every client, so nothing of such a name could be reached.
export const OwnerChosenId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of [A-Za-z0-9._-]')
  .refine((id) => id !== '.' && id !== '..', 'must be neither . nor ..')
  .meta({
    description: 'Chosen by its owner: 1 to 64 of `[A-Za-z0-9._-]`, and neither `.` nor `..`.',
    example: 'apr-2026-0001',
  })

// Node names, as design.md (*Carrying out*) fixes them: `gb` + the allocation's 16 characters + `-` + a 3-character
// base-36 counter that is never used twice is a group; its members are `<group>-<n>`, n = 1…size.

const NODE_NAME = /^(gb[a-z2-7]{16}-[0-9a-z]{3})-([0-9]{1,3})$/

/** The counter's end: 36³ groups for one allocation. */
export const MAX_GROUPS_PER_ALLOCATION = 36 ** 3

/** What every group and node name of an allocation starts with. */
export const namePrefixOf = (allocationId: string): string => `gb${allocationId.slice(4)}-`

export function groupName(allocationId: string, counter: number): string {
  if (counter >= MAX_GROUPS_PER_ALLOCATION)
    throw new RangeError(`allocation ${allocationId} has used up its group names`)
  return `${namePrefixOf(allocationId)}${counter.toString(36).padStart(3, '0')}`
}

export const memberName = (group: string, n: number): string => `${group}-${n}`

/** `gb…-000-7` → its group and number; null when the name is not one of ours. */
export function parseNodeName(name: string): { group: string; member: number } | null {
  const match = NODE_NAME.exec(name)
  return match === null ? null : { group: match[1] as string, member: Number(match[2]) } // groups of a matched pattern
}

/** The tag on everything that the broker makes at a provider. */
export interface OwnerTag {
  readonly installationId: string
  readonly allocationId: string
  readonly group: string
}

export const ownerTagText = (tag: OwnerTag): string =>
  `gpu-broker/${tag.installationId}/${tag.allocationId}/${tag.group}`

/** Null when the text is not an owner tag of any installation. */
export function parseOwnerTag(text: string): OwnerTag | null {
  const match = /^gpu-broker\/(ins_[a-z2-7]{16})\/(alc_[a-z2-7]{16})\/(gb[a-z2-7]{16}-[0-9a-z]{3})$/.exec(text)
  if (match === null) return null
  return { installationId: match[1] as string, allocationId: match[2] as string, group: match[3] as string } // as above
}
