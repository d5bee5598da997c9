/** The frozen instances, each with its proven optimum: one file each, by the seed that it was drawn from. */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Proven } from './instance.ts'

const FOLDER = new URL('instances/', import.meta.url)

export function storedInstances(): readonly Proven[] {
  const files = globSync('*.json', { cwd: FOLDER }).toSorted()
  return files.map((file) => Proven.parse(JSON.parse(readFileSync(new URL(basename(file), FOLDER), 'utf8'))))
}

export function store(proven: Proven): void {
  writeFileSync(new URL(`${proven.instance.name}.json`, FOLDER), `${JSON.stringify(proven)}\n`)
}
