/** Whether a caller would rather have an answer in another form than JSON. */
import type { Request } from 'express'

// A media range meets a form that has all of its parameters. All that is sent is UTF-8, so who says so means that form.
const JSON_FORM = 'application/json; charset=utf-8'

/** @param form a media type with every parameter that a caller may name */
export const prefers = (request: Request, form: string): boolean => request.accepts([JSON_FORM, form]) === form
