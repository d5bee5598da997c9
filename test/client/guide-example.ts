/** The program that docs/client.md shows, and what it must say when it is run against a sandboxed broker. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

const page = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8')

export const EXAMPLE = /^```ts\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''

export const WHAT_IT_SAYS =
  /^pretrain is scheduled\n(?:kr\.gpubroker\.allocation\.\w+\n)*kr\.gpubroker\.allocation\.active\n2 nodes, the first at [\d.]+\napproval-exceeded: .+\n$/

export interface Finished {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

/** With this process's Node and environment. */
export async function runNode(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> {
  const env = { ...process.env, ...options.env }
  const child = spawn(process.execPath, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { status: await ended, out, err }
}
