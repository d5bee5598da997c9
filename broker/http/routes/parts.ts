/** Pieces of declarations that several routes share. */
import { z } from 'zod'
import { OwnerChosenId } from '../../../shared/ids.ts'

/** No members at all: an unknown one is refused, not ignored. */
export const Nothing = z.strictObject({})

/** An id that its owner chose, with an example of what such ids look like here. */
export const idLike = (example: string, description: string) => OwnerChosenId.meta({ description, example })
