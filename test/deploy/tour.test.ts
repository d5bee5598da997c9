import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Terminal } from '../../broker/cli/screen/terminal.ts'
import { LARGE_CLUSTER_NODES, NATIONAL_NODES, castOf } from '../../deploy/tour-cast.ts'
import { createClaims } from '../../deploy/tour-claims.ts'
import { howToGoOn } from '../../deploy/tour-farewell.ts'
import { AllocationRequest } from '../../shared/allocation.ts'
import { ApprovalRequest } from '../../shared/approval.ts'

const NOW = Date.parse('2026-11-24T09:00:00Z')

describe('the tour’s cast', () => {
  const cast = castOf({ id: 'run', now: NOW, nodesInService: 255 })

  it('asks only for what the API takes, under approvals that it takes', () => {
    for (const { approval, request, approvalId } of Object.values(cast)) {
      expect(ApprovalRequest.safeParse(approval).error).to.equal(undefined)
      expect(AllocationRequest.safeParse(request).error).to.equal(undefined)
      expect(request.approvalId).to.equal(approvalId)
    }
  })

  it('has approvals of its own in each run', () => {
    const next = castOf({ id: 'next', now: NOW, nodesInService: 255 })
    const ids = [...Object.values(cast), ...Object.values(next)].map(({ approvalId }) => approvalId)
    expect(new Set(ids).size).to.equal(ids.length)
  })

  for (const nodesInService of [255, LARGE_CLUSTER_NODES]) {
    it(`has one who must wait for the national project when ${nodesInService} nodes are in service`, () => {
      const { waiting } = castOf({ id: 'run', now: NOW, nodesInService })
      const wanted = waiting.request.demand.nodes ?? 0
      expect(wanted).to.be.above(nodesInService - NATIONAL_NODES)
      expect(wanted).to.be.at.most(nodesInService)
      expect(wanted).to.be.at.most(waiting.approval.limits.maxNodes)
    })
  }
})

describe('a claim of the tour', () => {
  const claims = (hasColor: boolean) => {
    let text = ''
    const terminal: Terminal = {
      write: (more) => {
        text += more
      },
      writeError: () => {},
      isInteractive: hasColor,
      hasColor,
      columns: 100,
    }
    return { claims: createClaims(terminal), text: () => text }
  }

  it('is counted, and counted as broken if it does not hold', () => {
    const { claims: made } = claims(false)
    made.claim('One.', true)
    made.claim('Two.', false)
    expect(made).to.include({ made: 2, broken: 1 })
  })

  it('is red with what was found instead, where it does not hold', () => {
    const { claims: made, text } = claims(true)
    made.claim('Two.', false, { nodes: 3 })
    expect(text()).to.equal('  \u001b[31m✘ Two. NOT TRUE. Found: {"nodes":3}\u001b[39m\n')
  })

  it('is plain text where there are no colours', () => {
    const { claims: made, text } = claims(false)
    made.claim('One.', true, 'not shown')
    made.claim('Two.', false, 'another')
    expect(text()).to.equal('  ✔ One.\n  ✘ Two. NOT TRUE. Found: another\n')
  })
})

describe('the way to go on after the tour', () => {
  it('names the sandbox’s port only where it is not the usual one', () => {
    const usual = howToGoOn({ brokerUrl: 'http://127.0.0.1:8080', sandboxPort: 8090, isRunning: true })
    expect(usual).to.include(
      'curl -s -H "Authorization: Bearer $(npm run -s cli -- token platform)" http://127.0.0.1:8080/v1/clusters\n',
    )
    const other = howToGoOn({ brokerUrl: 'http://127.0.0.1:9', sandboxPort: 9_000, isRunning: true })
    expect(other).to.include('$(SANDBOX_PORT=9000 npm run -s cli -- token platform)')
  })

  it('says how to start again what does not run any more', () => {
    const ended = howToGoOn({ brokerUrl: 'http://127.0.0.1:8080', sandboxPort: 8090, isRunning: false })
    expect(ended).to.include('npm start -- --no-tour')
  })
})
