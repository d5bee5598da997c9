import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createClient } from '../../broker/client/client.ts'
import { collect } from '../../broker/client/collect.ts'
import { fixedToken } from '../../broker/client/credentials.ts'
import { type Operation, operationAt, operations } from './document.ts'
import { type Loopback, startLoopback } from './loopback.ts'

const OPERATIONS = operations()

type Method = (...args: readonly unknown[]) => Promise<unknown> | AsyncIterable<unknown>

describe('every operation of the OpenAPI document', () => {
  let server: Loopback
  before(async () => {
    server = await startLoopback((received) => {
      const { status = 404, body } = operationAt(OPERATIONS, received)?.answer ?? {}
      return status === 204
        ? { status, text: '' }
        : { status, json: isPage(body) ? { ...body, nextCursor: null } : body }
    })
  })
  after(() => server.close())

  for (const operation of OPERATIONS) {
    it(`${operation.operationId} has a method of the client, which asks for it and gives what is answered`, async () => {
      const client = createClient({ baseUrl: server.url, tokens: fixedToken('t') })
      const method = client[operation.operationId as keyof typeof client] as unknown as Method | undefined
      if (method === undefined) throw new Error(`the client has no ${operation.operationId}`)
      const called = method(...argumentsOf(operation))
      const told = Symbol.asyncIterator in called ? await collect(called) : await called
      const received = server.received.at(-1)
      expect(operationAt(OPERATIONS, received ?? { method: '', path: '' })).to.equal(operation)
      if (isNotEmpty(operation.body)) expect(received?.body).to.deep.equal(operation.body)
      const { body = null } = operation.answer
      if (operation.operationId === 'putApproval') expect(told).to.deep.equal({ approval: body, created: false })
      else expect(told).to.deep.equal(isPage(body) ? body.items : body)
    })
  }

  for (const operation of OPERATIONS.filter(({ conditions }) => conditions.length > 0)) {
    const { operationId, conditions } = operation
    it(`${operationId} can be made conditional by ${conditions.join(' and ')}`, async () => {
      const client = createClient({ baseUrl: server.url, tokens: fixedToken('t') })
      const method = client[operationId as keyof typeof client] as unknown as (...args: unknown[]) => Promise<unknown>
      const options = { ifMatch: '"3"', ifNoneMatch: operation.method === 'GET' ? '"3"' : '*' }
      const args = argumentsOf(operation)
      const before = server.received.length
      // A body that may be left out stands before the options where there is one.
      await method(...args, options)
      await method(...args, undefined, options)
      for (const condition of conditions)
        expect(server.received.slice(before).map(({ headers }) => headers[condition])).to.include(
          condition === 'if-match' ? options.ifMatch : options.ifNoneMatch,
        )
    })
  }
})

const isPage = (body: unknown): body is { items: unknown; nextCursor: unknown } =>
  typeof body === 'object' && body !== null && 'nextCursor' in body

const isNotEmpty = (body: unknown): boolean => body !== undefined && JSON.stringify(body) !== '{}'

/** Its path's parameters, its body where it has something to say, and whether it is to be applied. */
const argumentsOf = ({ params, body, query }: Operation): readonly unknown[] => [
  ...params.map((name) => `a/${name}`),
  ...(isNotEmpty(body) ? [body] : []),
  ...(query.includes('apply') ? [true] : []),
]
