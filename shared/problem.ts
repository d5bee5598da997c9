/** The problem document (RFC 9457) that every refusal becomes on the wire. */
import { z } from 'zod'

export const Problem = z
  .looseObject({
    type: z.string().meta({ description: 'A URI under `/problems/`, served as a page.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().meta({ description: 'Stable, kebab-case.' }),
    errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>
