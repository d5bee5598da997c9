/** What to try next, as commands that work when pasted. */
import { SANDBOX_DEFAULT_PORT } from './sandbox/settings.ts'

export interface Farewell {
  readonly brokerUrl: string
  readonly sandboxPort: number
  /** Whether broker and sandbox go on. */
  readonly isRunning: boolean
}

export function howToGoOn({ brokerUrl, sandboxPort, isRunning }: Farewell): string {
  // The command line finds the identity provider by the sandbox's port, unless that is the usual one.
  const where = sandboxPort === SANDBOX_DEFAULT_PORT ? '' : `SANDBOX_PORT=${sandboxPort} `
  const token = `${where}npm run -s cli -- token platform`
  const first = isRunning
    ? 'Running until Ctrl-C. In another terminal, in this folder:'
    : 'Everything is stopped, its data are kept. `npm start -- --no-tour` runs it again; then, in this folder:'
  return `
${first}
  a token        ${token}
  the clusters   curl -s -H "Authorization: Bearer $(${token})" ${brokerUrl}/v1/clusters
  the same       ${where}npm run -s cli -- --url ${brokerUrl} clusters
  all of the API ${brokerUrl}/docs/
`
}
