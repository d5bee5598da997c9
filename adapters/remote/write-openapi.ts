/** Writes the protocol’s page (`npm run openapi`); test/adapters/remote/openapi.test.ts holds the committed one to it. */
import { writeFileSync } from 'node:fs'
import { remoteProviderDocument } from './openapi.ts'

const FILE = new URL('../../docs/remote-provider.openapi.json', import.meta.url)

writeFileSync(FILE, `${JSON.stringify(remoteProviderDocument(), null, 2)}\n`)
