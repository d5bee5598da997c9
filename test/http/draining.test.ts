import { once } from 'node:events'
import { Agent, get, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { closeNodeServer, createNodeServer, drainNodeServer } from '../../broker/http/node-server.ts'

describe('a listener that is leaving', () => {
  let server: ReturnType<typeof createNodeServer>
  let agent: Agent
  let held: ServerResponse[]
  beforeEach(async () => {
    held = []
    agent = new Agent({ keepAlive: true, maxSockets: 1 })
    server = createNodeServer((asked, response) => {
      if (asked.url === '/held') held.push(response)
      else response.end('answered')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    agent.destroy()
    server.closeAllConnections()
    await closeNodeServer(server)
  })

  async function ask(path: string): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo // it listens on TCP
    const [answer] = (await once(get({ host: '127.0.0.1', port, path, agent }), 'response')) as [IncomingMessage]
    return answer
  }
  const isLast = async (asked: Promise<IncomingMessage>): Promise<[text: string, last: boolean]> => {
    const answer = await asked
    return [await text(answer), answer.headers.connection === 'close']
  }
  async function holding(): Promise<Promise<IncomingMessage>[]> {
    const asked = ask('/held')
    await once(server, 'request')
    return [asked] // a promise in a list is not awaited
  }

  it('goes on answering, each time for the last time on that connection', async () => {
    expect(await isLast(ask('/'))).to.deep.equal(['answered', false])
    drainNodeServer(server)
    expect(await isLast(ask('/'))).to.deep.equal(['answered', true])
    expect(await isLast(ask('/'))).to.deep.equal(['answered', true])
  })

  it('ends the connection of what was asked before, with its answer', async () => {
    const [asked] = await holding()
    drainNodeServer(server)
    held[0]?.end('late')
    expect(await isLast(asked ?? ask('/'))).to.deep.equal(['late', true])
  })

  it('is closed as soon as what was asked is answered, whoever would keep the connection', async () => {
    const [asked] = await holding()
    const closed = closeNodeServer(server)
    held[0]?.end('late')
    expect(await isLast(asked ?? ask('/'))).to.deep.equal(['late', true])
    await closed
  })

  it('is closed in time, however slowly somebody sends what he asks', async () => {
    const { port } = server.address() as AddressInfo // it listens on TCP
    const headers = { 'content-length': 10 }
    const slow = request({ host: '127.0.0.1', port, path: '/held', method: 'POST', headers })
    const cutOff = once(slow, 'error')
    slow.write('{')
    await once(server, 'request')
    await closeNodeServer(server, 100)
    await cutOff
  })
})
