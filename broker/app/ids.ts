/** New ids: the only randomness of the use cases. */
import { randomBytes } from 'node:crypto'
import { type IdPrefix, idFromBytes } from '../../shared/ids.ts'

const ID_BYTES = 10

export const newId = (prefix: IdPrefix): string => idFromBytes(prefix, randomBytes(ID_BYTES))
