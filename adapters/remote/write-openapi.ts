/** Writes the protocol's page; `test/adapters/remote/openapi.test.ts` fails when what is committed is not what the code says. */
import { writeFileSync } from 'node:fs'
import { remoteProviderDocument } from './openapi.ts'

const FILE = new URL('../../docs/remote-provider.openapi.json', import.meta.url)

writeFileSync(FILE, `${JSON.stringify(remoteProviderDocument(), null, 2)}\n`)
