/** Which release of the broker this is, as its package says. */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'

/** The nearest one: the repository's, or the installed package's. */
const file = findPackageJSON('.', import.meta.url)

export const BROKER_VERSION: string =
  file === undefined
    ? 'unknown'
    : (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version /* our own file */
