/** Logs of what others ran, in the two formats that we read: our CSV columns, and the Standard Workload Format. */

/** One line of a log, as it stands there. */
export interface TraceJob {
  readonly id: string
  /** Counted from an origin that the log chose. */
  readonly submitSeconds: number
  readonly nodes: number
  /** How long it ran. */
  readonly runSeconds: number
  /** How long it asked for; null where the log does not say. */
  readonly askedSeconds: number | null
}

export interface Trace {
  /** By submission; of two at the same instant the first in the log comes first. */
  readonly jobs: readonly TraceJob[]
  /** Lines without nodes or without a run time, such as jobs that were cancelled while they waited. */
  readonly skippedLines: number
}

/** The text cannot be read as a trace; the sentence says where and why. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
}

/** @throws TraceError for a text in neither format */
export function parseTrace(text: string): Trace {
  const lines = text.split(/\r?\n/)
  const parsed = lines[0]?.startsWith('job_id,') === true ? fromCsv(lines) : fromSwf(lines)
  const jobs = parsed.filter((job) => job !== null).toSorted((a, b) => a.submitSeconds - b.submitSeconds)
  if (jobs.length === 0) throw new TraceError('no line of it has a submission, nodes and a run time')
  return { jobs, skippedLines: parsed.length - jobs.length }
}

const REQUIRED_COLUMNS = ['job_id', 'submit_s', 'duration_s', 'nodes'] as const

function fromCsv([head = '', ...lines]: readonly string[]): (TraceJob | null)[] {
  const columns = head.split(',')
  const missing = REQUIRED_COLUMNS.filter((name) => !columns.includes(name))
  if (missing.length > 0) throw new TraceError(`line 1: the columns ${missing.join(', ')} are missing`)
  const places = Object.fromEntries(columns.map((name, at) => [name, at]))
  return lines.flatMap((line, at) => {
    if (line === '') return []
    const cells = line.split(',')
    if (cells.length !== columns.length)
      throw new TraceError(`line ${at + 2}: ${cells.length} cells under ${columns.length} columns`)
    const cell = (name: string): string => cells[places[name] ?? -1] ?? ''
    return jobOf({
      id: cell('job_id'),
      submitSeconds: numberIn(cell('submit_s'), at + 2),
      nodes: numberIn(cell('nodes'), at + 2),
      runSeconds: numberIn(cell('duration_s'), at + 2),
      askedSeconds: numberIn(cell('req_s'), at + 2),
    })
  })
}

/** Places of the fields in a line of the Standard Workload Format, whose processors count as nodes here. */
const SWF = { id: 0, submit: 1, run: 3, allocated: 4, requested: 7, askedSeconds: 8 } as const
const SWF_FEWEST_FIELDS = 9

function fromSwf(lines: readonly string[]): (TraceJob | null)[] {
  return lines.flatMap((line, at) => {
    const text = line.trim()
    if (text === '' || text.startsWith(';')) return []
    const fields = text.split(/\s+/).map((field) => numberIn(field, at + 1))
    if (fields.length < SWF_FEWEST_FIELDS)
      throw new TraceError(`line ${at + 1}: neither a head of ours nor a line of the Standard Workload Format`)
    // -1 is how the format says that something is not known.
    const field = (place: number): number | null => ((fields[place] ?? -1) < 0 ? null : (fields[place] ?? null))
    return jobOf({
      id: String(fields[SWF.id]),
      submitSeconds: field(SWF.submit),
      nodes: field(SWF.requested) ?? field(SWF.allocated),
      runSeconds: field(SWF.run),
      askedSeconds: field(SWF.askedSeconds),
    })
  })
}

/** Null for an empty cell. */
function numberIn(text: string, line: number): number | null {
  if (text === '') return null
  const value = Number(text)
  if (!Number.isFinite(value)) throw new TraceError(`line ${line}: "${text.slice(0, 40)}" is no number`)
  return value
}

type Line = { readonly [Key in keyof TraceJob]: TraceJob[Key] | null }

function jobOf({ id, submitSeconds, nodes, runSeconds, askedSeconds }: Line): TraceJob | null {
  if (submitSeconds === null || nodes === null || nodes < 1 || runSeconds === null || runSeconds <= 0) return null
  const asked = askedSeconds !== null && askedSeconds > 0 ? askedSeconds : null
  return { id: id ?? '', submitSeconds, nodes: Math.ceil(nodes), runSeconds, askedSeconds: asked }
}
