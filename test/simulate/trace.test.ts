import { gzipSync } from 'node:zlib'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { readTrace } from '../../broker/simulate/read-trace.ts'
import { parseTrace, TraceError } from '../../broker/simulate/trace.ts'

const HEAD = 'job_id,submit_s,duration_s,units,nodes,req_s,wait_s,group,type,state'

const SWF = `; Version: 2.2
; MaxProcs: 4360

  2 50 10 7200 -1 -1 -1 64 3600 -1 1 1 1 -1 -1 -1 -1 -1
  1 0 5 3600 128 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1
  3 60 5 -1 128 -1 -1 128 3600 -1 0 1 1 -1 -1 -1 -1 -1
`

describe('a trace', () => {
  it('is read from the columns by their names, whatever their order', () => {
    const { jobs } = parseTrace('job_id,nodes,submit_s,duration_s\na,4,10,600\n')
    expect(jobs).to.deep.equal([{ id: 'a', submitSeconds: 10, nodes: 4, runSeconds: 600, askedSeconds: null }])
  })

  it('is read from the Standard Workload Format: what was asked for, or else what was given', () => {
    expect(parseTrace(SWF)).to.deep.equal({
      jobs: [
        { id: '1', submitSeconds: 0, nodes: 128, runSeconds: 3_600, askedSeconds: null },
        { id: '2', submitSeconds: 50, nodes: 64, runSeconds: 7_200, askedSeconds: 3_600 },
      ],
      skippedLines: 1,
    })
  })

  it('counts the lines that say neither nodes nor how long', () => {
    const { jobs, skippedLines } = parseTrace(
      `${HEAD}\na,0,60,1,1,,,,,\nb,1,,1,1,,,,,\nc,2,60,0,0,,,,,\nd,3,0,1,1,,,,,\n`,
    )
    expect([jobs.length, skippedLines]).to.deep.equal([1, 3])
  })

  for (const [says, text, message] of [
    ['a column that is missing', 'job_id,submit_s,nodes\n', /line 1: the columns duration_s are missing/],
    ['a line that is cut off', `${HEAD}\na,0,60,1,1,,,,,\nb,1,6`, /line 3: 3 cells under 10 columns/],
    ['a figure that is none', `${HEAD}\na,0,x,1,1,,,,,\n`, /line 2: "x" is no number/],
    ['a text of another kind', '1 2 3\n', /line 1: neither a head of ours nor a line of the Standard Workload Format/],
    ['nothing', '', /no line of it/],
  ] as const)
    it(`refuses ${says} with the place`, () => {
      expect(() => parseTrace(text)).to.throw(TraceError, message)
    })

  describe('from a file', () => {
    let folder = ''
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'trace-'))
    })
    after(() => rmSync(folder, { recursive: true }))

    it('is the same packed and not', async () => {
      writeFileSync(join(folder, 'small.swf'), SWF)
      writeFileSync(join(folder, 'small.swf.gz'), gzipSync(SWF))
      const plain = await readTrace(join(folder, 'small.swf'))
      expect(plain.jobs).to.have.length(2)
      expect(await readTrace(join(folder, 'small.swf.gz'))).to.deep.equal(plain)
    })

    for (const [file, jobs, nodeHours] of [
      ['kalos-completed.csv.gz', 319, 57_117],
      ['itp-a.csv.gz', 25_377, 169_238],
    ] as const)
      it(`has all ${jobs} jobs and ${nodeHours} node-hours of ${file}`, async () => {
        const trace = await readTrace(new URL(`traces/${file}`, import.meta.url).pathname)
        expect([trace.jobs.length, trace.skippedLines]).to.deep.equal([jobs, 0])
        const seconds = trace.jobs.reduce((sum, job) => sum + job.nodes * job.runSeconds, 0)
        expect(Math.round(seconds / 3_600)).to.equal(nodeHours)
      })
  })
})
