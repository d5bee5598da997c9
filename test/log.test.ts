import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createLogger, setLogLevel, toggleDebug } from '../broker/log.ts'
import { serveUntilSignalled } from '../broker/signals.ts'
import { startSpan, within } from '../broker/tracing.ts'
import { readSources } from './support/sources.ts'

/** A logger, and what it wrote. */
function logged(level: Parameters<typeof createLogger>[0] = 'info') {
  const lines: string[] = []
  const logger = createLogger(level, { write: (line: string) => void lines.push(line) })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> }
}

const SECRET = 'c2VjcmV0LW9mLXRoZS1vcGVyYXRvcg'

describe('the log', () => {
  it('hides credentials in fields, in errors, in their causes and in any text', () => {
    const { logger, lines } = logged()
    const request = { headers: { authorization: `Bearer ${SECRET}` }, body: { password: SECRET } }
    const cause = Object.assign(new Error(`sent Authorization: Bearer ${SECRET}`), {
      config: request,
      response: request,
    })
    logger.error({ err: new Error(`no answer from https://user:${SECRET}@api.example`, { cause }) }, 'it failed')
    logger.error({ err: Object.assign(cause, { headers: { cookie: SECRET } }) }, 'it failed')
    logger.info({ headers: request.headers, secret: SECRET, one: { clientSecret: SECRET } }, 'it was asked')
    logger.info({ url: `postgres://broker:${SECRET}@db/broker`, basic: `Basic ${SECRET}==` }, 'it was asked')
    expect(lines).to.have.length(4)
    for (const line of lines) expect(line).to.not.include(SECRET)
    expect(lines[0]).to.include('https://user:[hidden]@api.example').and.to.include('Bearer [hidden]')
  })

  it('says of an error its type, message, stack, code and kind, and of its causes', () => {
    const { logger, last } = logged()
    const cause = Object.assign(new TypeError('refused'), { code: 'ECONNREFUSED', request: {} })
    logger.error(
      { err: Object.assign(new Error('away', { cause }), { kind: 'unreachable', effect: 'none' }) },
      'it failed',
    )
    const { err } = last() as { readonly err: Record<string, unknown> }
    expect(err).to.include({ type: 'Error', message: 'away', kind: 'unreachable', effect: 'none' })
    expect(err['stack']).to.include('log.test.ts')
    expect(err['cause']).to.deep.include({ type: 'TypeError', code: 'ECONNREFUSED' })
    expect(Object.keys(err['cause'] as object)).to.not.include('request')
  })

  it('says which request, trace and allocation a line belongs to', () => {
    const { logger, last } = logged()
    const span = startSpan({ name: 'request', parent: null })
    within(span, { requestId: 'req-1' }, () =>
      within(span, { allocationId: 'alc_1' }, () => logger.info({ nodes: 2 }, 'a look was made')),
    )
    expect(last()).to.include({ requestId: 'req-1', allocationId: 'alc_1', traceId: span.traceId, nodes: 2 })
    logger.info({}, 'nothing is in hand')
    expect(last()).to.not.have.any.keys('requestId', 'allocationId', 'traceId')
  })

  it('is as detailed as whoever operates it wants, at once and back again', () => {
    const { logger, lines } = logged('warn')
    const said = (): number => {
      const before = lines.length
      logger.debug({}, 'a detail')
      return lines.length - before
    }
    expect(said()).to.equal(0)
    toggleDebug(logger, 'warn')
    expect(said()).to.equal(1)
    toggleDebug(logger, 'warn')
    expect(said()).to.equal(0)
    expect(logger.level).to.equal('warn')
    setLogLevel(logger, 'debug')
    expect(said()).to.equal(1)
    toggleDebug(logger, 'debug')
    expect(logger.level).to.equal('info')
  })

  it('is switched to its details and back by SIGUSR2', () => {
    const { logger, lines } = logged()
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const
    const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]))
    serveUntilSignalled(
      {
        drain: () => undefined,
        stop: async () => undefined,
        reloadInventory: () => Promise.reject(new Error('unasked')),
      },
      {
        logger,
        drainMs: 0,
        onDetails: () => toggleDebug(logger, 'info'),
        onStopped: () => undefined,
        onFailed: () => undefined,
      },
    )
    const levels = [0, 1].map(() => {
      process.emit('SIGUSR2', 'SIGUSR2')
      return logger.level
    })
    for (const signal of signals) {
      for (const listener of process.listeners(signal)) {
        if (before.get(signal)?.includes(listener) !== true) process.off(signal, listener)
      }
    }
    expect(levels).to.deep.equal(['debug', 'info'])
    expect(lines.filter((line) => line.includes('the log level was changed'))).to.have.length(2)
  })

  it('has one constant sentence in each line: what differs is a field', () => {
    const calls = readSources(['broker']).flatMap(({ file, code }) =>
      [
        ...code.matchAll(/\b(?:logger|log|page)(?:\.(?:debug|info|warn|error|fatal))?\((?=[^)])[^`\n]*(`[^`]*`)?/g),
      ].flatMap(([, template]) => (template === undefined ? [] : [`${file}: ${template}`])),
    )
    expect(calls).to.deep.equal([])
  })
})
