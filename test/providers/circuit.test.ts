import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { CircuitState } from '../../shared/cluster.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import { type Circuit, createCircuit, type Verdict } from '../../broker/providers/circuit.ts'

const FAILURES = 5

interface World {
  readonly circuit: Circuit
  readonly told: CircuitState[]
  /** Resolves at the next change of this kind. */
  reached(state: CircuitState): Promise<void>
}

interface Options {
  readonly mayTry?: boolean
  readonly verdict?: Verdict
  readonly resetMs?: number
}

function aCircuit({ mayTry = true, verdict = 'ill', resetMs = 5 }: Options = {}): World {
  const told: CircuitState[] = []
  const waiting = new Map<CircuitState, () => void>()
  const circuit = createCircuit({
    name: 'p/read',
    resetMs,
    verdict: () => verdict,
    mayTry: async () => mayTry,
    onChange: (state) => void told.push(state),
    onState: (state) => waiting.get(state)?.(),
  })
  return { circuit, told, reached: (state) => new Promise((resolve) => void waiting.set(state, resolve)) }
}

const fail = async (): Promise<never> => {
  throw new ProviderError('unreachable', 'no', { effect: 'none' })
}

async function codeOf(circuit: Circuit, call: () => Promise<unknown>): Promise<string | null> {
  try {
    await circuit.run(call)
    return 'ok'
  } catch (error) {
    return error instanceof ProviderError ? error.code : String(error)
  }
}

async function failOften({ circuit }: World): Promise<void> {
  for (let n = 0; n < FAILURES; n += 1) await codeOf(circuit, fail)
}

describe('a circuit', () => {
  it('opens after failures, and rejects what it is asked then without asking', async () => {
    const world = aCircuit({ resetMs: 60_000 })
    await failOften(world)
    expect(world.told).to.deep.equal(['open'])
    expect(await codeOf(world.circuit, async () => 'asked')).to.equal('CIRCUIT_OPEN')
    world.circuit.close()
  })

  it('does not open for what says nothing of the provider', async () => {
    for (const verdict of ['well', 'neither'] as const) {
      const world = aCircuit({ verdict })
      await failOften(world)
      expect(world.circuit.state(), verdict).to.equal('closed')
      world.circuit.close()
    }
  })

  it('is tried once its pause is over, and closes when that goes well', async () => {
    const world = aCircuit()
    const halfOpen = world.reached('half-open')
    await failOften(world)
    await halfOpen
    expect(await codeOf(world.circuit, async () => 'ok')).to.equal('ok')
    expect(world.told).to.deep.equal(['open', 'half-open', 'closed'])
    world.circuit.close()
  })

  it('is not tried by a replica that may not, and stays open', async () => {
    const world = aCircuit({ mayTry: false })
    const halfOpen = world.reached('half-open')
    await failOften(world)
    await halfOpen
    expect(await codeOf(world.circuit, async () => 'asked')).to.equal('CIRCUIT_OPEN')
    expect(world.circuit.state()).to.equal('half-open')
    world.circuit.close()
  })

  it('does not close for a try that we ended ourselves', async () => {
    const world = aCircuit({ verdict: 'neither' })
    const halfOpen = world.reached('half-open')
    world.circuit.adopt('open')
    await halfOpen
    await codeOf(world.circuit, fail)
    expect(world.circuit.state()).to.equal('open')
    world.circuit.close()
  })

  it('follows others without telling them', () => {
    const world = aCircuit({ resetMs: 60_000 })
    world.circuit.adopt('open')
    expect(world.circuit.state()).to.equal('open')
    world.circuit.adopt('closed')
    expect(world.circuit.state()).to.equal('closed')
    expect(world.told).to.deep.equal([])
    world.circuit.close()
  })
})
