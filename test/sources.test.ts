import { expect } from 'chai'
import { describe, it } from 'mocha'
import { parseSource, withoutStrings } from './support/sources.ts'

describe('the reading of sources', () => {
  const read = (text: string) => parseSource('broker/core/x.ts', text)

  it('finds every way to import', () => {
    const { imports } = read(`
      import a from 'one'
      import { b,
        type C } from "@scope/two/deep"
      import './three.ts'
      export * from '../store/four.ts'
      export { d } from '../../shared/five.ts'
      const e = await import('six'), f = require('seven'), g = import.meta.resolve('eight/file.css')
      import * as h from 'node:fs/promises'
      export * as i from 'nine'
      import j, { k } from 'ten'
    `)
    expect(imports.map(({ of }) => of)).to.have.members([
      ...['one', '@scope/two', 'broker/core/three.ts', 'broker/store/four.ts', 'shared/five.ts'],
      ...['six', 'seven', 'eight', 'node:fs/promises', 'nine', 'ten'],
    ])
  })

  it('tells imports of types from the others', () => {
    const { imports } = read(`
      import type { A } from 'types-1'
      import { type A, type B, } from 'types-2'
      export type { A } from 'types-3'
      import { type A, b } from 'value-1'
      import type_ from 'value-2'
      import {} from 'types-4'
      export type Own = Other | 'from'
      export { c } from 'value-3'
    `)
    for (const { of, typesOnly } of imports) expect(typesOnly, of).to.equal(of.startsWith('types'))
    expect(imports).to.have.length(7)
  })

  it('leaves comments out, and what only looks like one in', () => {
    const { code } = read("const a = 'http://x' // import b from 'c'\n/* Date.now() */ const d = '/* e */'")
    expect(code).to.equal("const a = 'http://x'  \n  const d = '/* e */'")
  })

  it('keeps what a template computes, and nothing else of a string', () => {
    const { code } = read("const a = `at ${Date.now()} or Math.random` + 'fetch(' + \"it's\" + b")
    expect(withoutStrings(code)).to.equal("const a = ${Date.now()} + '' + '' + b")
  })

  it('reads a package and a file of Node by their whole names', () => {
    const { imports } = read("import a from 'kysely/migration'\nimport b from 'node:fs/promises'")
    expect(imports.map(({ of }) => of)).to.deep.equal(['kysely', 'node:fs/promises'])
  })
})
