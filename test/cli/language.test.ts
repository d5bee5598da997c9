import { readFileSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { widthOf } from '../../broker/cli/screen/width.ts'
import { KOREAN } from '../../broker/cli/text/korean.ts'
import { KOREAN_COMMANDS } from '../../broker/cli/text/korean-commands.ts'
import { KOREAN_HEADINGS } from '../../broker/cli/text/korean-headings.ts'
import { KOREAN_OPTIONS } from '../../broker/cli/text/korean-options.ts'
import { KOREAN_SENTENCES } from '../../broker/cli/text/korean-sentences.ts'
import { english, korean, textFor } from '../../broker/cli/text/text.ts'
import { USAGE_GROUPS } from '../../shared/usage.ts'
import { approval, event, waitlistItem } from '../../broker/http/examples.ts'
import { type Loopback, problem, startLoopback } from '../client/loopback.ts'
import { type Ran, at, cli } from './cli-world.ts'

let open: Loopback | null = null

/** One answer for every request, in Korean. */
async function told(json: unknown, ...args: readonly string[]): Promise<Ran> {
  open = await startLoopback(() => ({ json }))
  return await inKorean(...args)
}

const inKorean = (...args: readonly string[]): Promise<Ran> =>
  cli(args, { env: { ...at(open?.url ?? 'http://127.0.0.1:1').env, LANG: 'ko_KR.UTF-8' } })

const list = (...items: readonly unknown[]): object => ({ items, nextCursor: null })

describe('the language of the command line', () => {
  afterEach(async () => {
    await open?.close()
    open = null
  })

  it('is Korean where the locale is, else English; LC_ALL wins over LC_MESSAGES, and that over LANG', () => {
    expect(textFor({ LANG: 'ko_KR.UTF-8' })).to.equal(korean)
    expect(textFor({ LANG: 'ko' })).to.equal(korean)
    expect(textFor({ LANG: 'en_US.UTF-8', LC_ALL: 'ko_KR.UTF-8' })).to.equal(korean)
    expect(textFor({ LANG: 'ko_KR.UTF-8', LC_ALL: 'C' })).to.equal(english)
    expect(textFor({ LANG: 'ko_KR.UTF-8', LC_ALL: '', LC_MESSAGES: 'de_DE' })).to.equal(english)
    expect(textFor({ LANG: 'kok_IN' })).to.equal(english)
    expect(textFor({})).to.equal(english)
  })

  it('fills the same places in both', () => {
    const places = (text: string): string[] => Array.from(text.matchAll(/\{\w+\}/g), ([place]) => place).toSorted()
    for (const [inEnglish, text] of Object.entries(KOREAN))
      expect(places(text), inEnglish).to.deep.equal(places(inEnglish))
  })

  it('has each sentence once, and none that is not said', () => {
    const parts = [KOREAN_COMMANDS, KOREAN_OPTIONS, KOREAN_HEADINGS, KOREAN_SENTENCES]
    const keys = parts.flatMap((part) => Object.keys(part))
    expect(keys).to.have.length(Object.keys(KOREAN).length)
    const folder = new URL('../../broker/cli/', import.meta.url)
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('text/korean'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .join('\n')
    const groups: readonly string[] = USAGE_GROUPS
    expect(keys.filter((key) => !sources.includes(`'${key}'`) && !groups.includes(key))).to.deep.equal([])
  })

  it('is that of headings, which stay aligned, and not of the API’s own words', async () => {
    const wide = { ...approval, id: 'apr-2', organizationName: '한국과학기술원' }
    const { out } = await told(list(approval, wide), 'approvals', 'list')
    const [head = '', ...rows] = out.trimEnd().split('\n')
    expect(head).to.match(/^승인 +기관 +사업 +우선순위 +상태 +노드 +확정된 GPU 시간 +유효 기한\(UTC\)$/)
    expect(rows[1]).to.match(/한국과학기술원 +ai-foundation-model +national +valid +255 중 0 /)
    const before = (line: string | undefined, cell: string): number => widthOf((line ?? '').split(cell)[0] ?? '')
    for (const [title, cell] of [
      ['사업', 'ai-foundation-model'],
      ['상태', 'valid'],
    ] as const)
      for (const row of rows) expect(before(row, cell)).to.equal(before(head, title))
  })

  it('is that of sentences with figures', async () => {
    expect((await told(list(), 'waitlist')).out).to.equal('대기자가 없습니다.\n')
    await open?.close()
    const { allocationId: _, priority: __, nodes: ___, ...waitlist } = waitlistItem
    const { allocation } = await import('../../broker/http/examples.ts')
    const waiting = { ...allocation, status: 'waitlisted', placement: null, waitlist }
    const { out } = await told(waiting, 'allocations', 'watch', allocation.id, '--timeout', '0.0001')
    expect(out).to.match(/^pretrain-70b: waitlisted, 노드 64 중 0 준비, 0 ms, 대기 1번, .* 시작 예상, 늦어도 .* UTC\n/)
  })

  it('is that of help, aligned, with its defaults and exit statuses', async () => {
    const { status, out } = await inKorean('allocations', 'watch', '--help')
    expect(status).to.equal(0)
    expect(out).to.match(
      /^사용법: gpu-broker allocations watch \[options\] <id>\n\n할당이 가동되거나 끝날 때까지 진행 상황을 표시\n/,
    )
    expect(out).to.match(/--interval <seconds> +조회 간격\(초\) \(기본값: 1\)/)
    expect((await inKorean('--help')).out).to.match(/종료 코드:\n {4}0 {2}완료\n/)
  })

  it('is that of what goes wrong, beside the broker’s own words', async () => {
    expect((await inKorean('clusters', '--al')).err).to.match(/^오류: 알 수 없는 옵션 '--al'\n\(혹시 --all\?\)\n/)
    const bad = await inKorean('--output', 'xml', 'clusters')
    expect(bad.err).to.match(/^오류: 옵션 '--output <form>'의 값 'xml' 잘못됨\. 가능한 값: table, json, csv\.\n/)
    expect((await inKorean('preview', '--hours', '1')).err).to.match(/^gpu-broker: 얼마나 필요한지 지정하십시오/)
    open = await startLoopback(() => problem(409, 'no-capacity', { title: 'No capacity for the period' }))
    const refused = await inKorean('allocations', 'retry', 'alc_abcdefghijklmnop')
    expect(refused.err).to.equal(
      '그 기간에 남은 용량이 없음: A detail with 3 figures.\n(no-capacity, 409, 요청 req-1)\n',
    )
    const { url } = open
    await open.close()
    expect((await inKorean('clusters')).err).to.equal(`gpu-broker: ${url}에 연결할 수 없습니다: ECONNREFUSED.\n`)
  })
})

describe('gpu-broker events stream', () => {
  afterEach(async () => {
    await open?.close()
    open = null
  })

  const stream = async (...args: readonly string[]): Promise<Ran> => {
    const frames = [7, 8].map((sequence) => `id: ${sequence}\ndata: ${JSON.stringify({ ...event, sequence })}\n\n`)
    open = await startLoopback(() => ({ headers: { 'content-type': 'text/event-stream' }, text: frames.join('') }))
    return await cli(['events', 'stream', '--count', '2', ...args], at(open.url))
  }

  it('is a line for each event, as text, as JSON or as CSV', async () => {
    const asText = await stream('--types', 'allocation.active', '--after', 'latest')
    expect(open?.received[0]?.path).to.equal('/v1/events?after=latest&types=allocation.active')
    expect(asText.out).to.match(/^ {7}7 {2}[\d-]+ [\d:]+ {2}allocation\.\w+ +\S+ +\{.*\}\n {7}8 {2}.*\n$/)
    await open?.close()
    const asJson = await stream('--json')
    expect(
      asJson.out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as typeof event).sequence),
    ).to.deep.equal([7, 8])
    await open?.close()
    const asCsv = await stream('--output', 'csv')
    const lines = asCsv.out.split('\r\n')
    expect(lines).to.have.length(4)
    expect(lines[0]).to.match(/^specversion,id,source,type,.*,sequence,.*data$/)
    expect(lines[2]).to.match(/,8,.*\{/)
  })

  it('refuses what is no event before it asks', async () => {
    const ran = await cli(['events', 'list', '--types', 'allocation.lost'])
    expect(ran).to.deep.include({ status: 2, out: '' })
    expect(ran.err).to.match(/^gpu-broker: there is no event allocation\.lost; there are allocation\.waitlisted, /)
    expect((await cli(['events', 'stream', '--after', 'now'])).status).to.equal(2)
    expect((await cli(['events', 'stream', '--count', 'some'])).status).to.equal(2)
  })
})

describe('--output csv', () => {
  afterEach(async () => {
    await open?.close()
    open = null
  })

  it('has the same columns whatever the rows hold, named by their paths', async () => {
    const head = async (...items: readonly unknown[]): Promise<string> => {
      open = await startLoopback(() => ({ json: list(...items) }))
      const { out } = await cli(['approvals', 'list', '--output', 'csv'], at(open.url))
      await open.close()
      return out
    }
    const empty = await head()
    expect(empty).to.equal(
      'id,organizationId,organizationName,organizationType,program,priority,limits.maxNodes,limits.gpuHours,limits.architectures,limits.validFrom,limits.validTo,note,status,usage.gpuHoursCommitted,usage.gpuHoursUsed,usage.nodesInUse,createdAt,updatedAt\r\n',
    )
    const full = await head({ ...approval, note: 'a "quoted", note' })
    expect(full.startsWith(empty)).to.equal(true)
    expect(full).to.match(
      /national,255,2000000,"\[""blackwell"",""hopper""\]",2026-12-01T00:00:00Z,.*"a ""quoted"", note"/,
    )
  })

  it('does not go together with --json', async () => {
    expect((await cli(['approvals', 'list', '--json', '--output', 'csv'])).status).to.equal(2)
  })
})
