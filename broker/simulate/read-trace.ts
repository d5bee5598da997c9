/** The thin shell of the simulator: a trace from a file, gzipped or not. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { parseTrace, type Trace } from './trace.ts'

const unzip = promisify(gunzip)

/** A year of a large machine is some 30 MB of text; what unpacks to more than this is no trace. */
const MOST_BYTES = 1_000_000_000

/**
 * @throws TraceError for what is no trace
 * @throws Error of the file system, or of the unpacking, with its `code`
 */
export async function readTrace(path: string): Promise<Trace> {
  const bytes = await readFile(path)
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  return parseTrace((isPacked ? await unzip(bytes, { maxOutputLength: MOST_BYTES }) : bytes).toString('utf8'))
}
