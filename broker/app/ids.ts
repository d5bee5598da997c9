/** New ids: the only randomness of the use cases. */
import { type IdPrefix, idFromBytes } from '../../shared/ids.ts'
import { randomIdBytes } from '../random.ts'

const ID_BYTES = 10

export const newId = (prefix: IdPrefix): string => idFromBytes(prefix, randomIdBytes(ID_BYTES))
