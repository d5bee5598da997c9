import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { encodeCursor } from '../../broker/http/pagination.ts'
import { ClusterView } from '../../shared/cluster.ts'
import { pageOf } from '../../shared/text.ts'
import type { ApiClient } from '../support/api-client.ts'
import type { TestBroker } from '../support/broker.ts'
import { allocate, allocationBody, approvalBody, approve, days, freshId } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

const NOBODY = 'alc_aaaaaaaaaaaaaaaa'

describe('the conventions, on the real store', () => {
  let broker: TestBroker
  let platform: ApiClient
  let approval: string
  before(async () => {
    broker = sharedBroker()
    platform = await broker.as('platform')
    approval = await approve(platform)
  })

  describe('a body that does not fit is refused, with a pointer to each fault:', () => {
    const allocation: readonly (readonly [string, object, readonly string[]])[] = [
      ['an unknown member', { colour: 'blue' }, ['/colour']],
      ['an unknown member further in', { requires: { colour: 'blue' } }, ['/requires/colour']],
      ['a wrong type', { demand: { nodes: '4' } }, ['/demand/nodes']],
      ['half a node', { demand: { nodes: 1.5 } }, ['/demand/nodes']],
      ['two demands', { demand: { nodes: 1, gpus: 8 } }, ['/demand']],
      ['no demand', { demand: {} }, ['/demand']],
      ['no node', { demand: { nodes: 0 } }, ['/demand/nodes']],
      ['a missing name', { name: undefined }, ['/name']],
      ['a line break in the name', { name: 'a\nb' }, ['/name']],
      ['a zero byte in a label', { labels: { a: 'b\u0000' } }, ['/labels/a']],
      ['a period that ends before it starts', { period: { start: days(3), end: days(2) } }, ['/period/end']],
      [
        'a period of both kinds',
        { period: { start: days(2), end: days(3), durationHours: 1 } },
        ['/period/durationHours'],
      ],
      ['a time without an offset', { period: { start: '2030-01-01T00:00:00', end: days(3) } }, ['/period/start']],
      ['another word for waiting', { ifUnavailable: 'queue' }, ['/ifUnavailable']],
      ['a key that is none', { access: { sshPublicKeys: ['ssh-dss AAAA'] } }, ['/access/sshPublicKeys/0']],
      ['an approval id with a slash', { approvalId: 'a/b' }, ['/approvalId']],
      ['two faults', { name: '', demand: { nodes: -1 } }, ['/name', '/demand/nodes']],
    ]
    for (const [what, changes, pointers] of allocation) {
      it(`${what} in an allocation`, async () => {
        const refused = await platform.post('/v1/allocations', allocationBody(approval, changes))
        const errors = refused.problem('invalid-request').errors ?? []
        expect(errors.map(({ pointer }) => pointer)).to.have.members(pointers)
      })
    }

    it('in an approval and in a preview alike', async () => {
      const put = await platform.put(`/v1/approvals/${freshId('apr')}`, approvalBody({}, { maxNodes: 0 }))
      expect(put.problem('invalid-request').errors?.[0]?.pointer).to.equal('/limits/maxNodes')
      const preview = await platform.post('/v1/placements/preview', { demand: { nodes: 1 }, period: {}, name: 'x' })
      const pointers = preview.problem('invalid-request').errors?.map(({ pointer }) => pointer)
      expect(pointers)
        .to.include('/name')
        .and.satisfy((all: string[]) => all.some((one) => one.startsWith('/period')))
    })
  })

  describe('what is no JSON object of at most 256 KiB is refused:', () => {
    const type = { 'content-type': 'application/json' }
    const post = (body: string, headers: Readonly<Record<string, string>> = type) =>
      platform.send('POST', '/v1/allocations', { body, headers })

    it('broken JSON', async () => {
      ;(await post('{"name": ')).problem('invalid-request')
    })
    it('a list', async () => {
      ;(await post('[]')).problem('invalid-request')
    })
    it('no body where one is needed', async () => {
      ;(await platform.post('/v1/allocations')).problem('invalid-request')
    })
    it('another media type', async () => {
      ;(await post('name=x', { 'content-type': 'application/x-www-form-urlencoded' })).problem('unsupported-media-type')
    })
    it('a body that is too large', async () => {
      const big = JSON.stringify(allocationBody(approval, { name: 'x'.repeat(256 * 1024) }))
      ;(await post(big)).problem('payload-too-large')
    })
    it('nesting without end', async () => {
      ;(await post(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).problem('invalid-request')
    })
    it('half of a surrogate pair', async () => {
      ;(await post('{"name":"\\ud800"}')).problem('invalid-request')
    })
  })

  describe('a query that does not fit is refused, not ignored:', () => {
    const queries: readonly (readonly [string, string])[] = [
      ['/v1/allocations?colour=blue', '/colour'],
      ['/v1/allocations?status=asleep', '/status'],
      ['/v1/allocations?limit=0', '/limit'],
      ['/v1/allocations?limit=501', '/limit'],
      ['/v1/allocations?limit=ten', '/limit'],
      ['/v1/allocations?limit=1&limit=2', '/limit'],
      ['/v1/allocations?label=pretrain', '/label'],
      ['/v1/allocations?label=task:a%00b', '/label'],
      ['/v1/allocations?clusterId=a%2Fb', '/clusterId'],
      ['/v1/allocations?cursor=', '/cursor'],
      ['/v1/allocations?cursor=nonsense', '/cursor'],
      ['/v1/approvals?status=valid', '/status'],
      ['/v1/waitlist?architecture=B%00', '/architecture'],
      ['/v1/audit?actor=a%00b', '/actor'],
      ['/v1/decisions?from=2026-12-01T00:00:00Z&to=2026-12-01T09:00:00%2B09:00', '/to'],
      ['/v1/clusters?cursor=%F0%9F%8D%8E', '/cursor'],
      ['/v1/clusters/nhn-b200-510?limit=1', '/limit'],
    ]
    for (const [path, pointer] of queries) {
      it(path, async () => {
        const refused = await platform.get(path)
        expect(refused.problem('invalid-request').errors?.map((error) => error.pointer)).to.deep.equal([pointer])
      })
    }

    const keys = ['nonsense', 'urgent 1 1', 'idle 1 x', '-1', '1.5', 'NaN', '99999999999999999999', "1' or '1'='1"]
    for (const list of ['allocations', 'approvals', 'waitlist'] as const) {
      it(`a well-formed cursor of /v1/${list} that holds a key that was never given`, async () => {
        for (const key of keys) {
          const refused = await platform.get(`/v1/${list}?cursor=${encodeCursor(list, key)}`)
          expect(refused.problem('invalid-request').errors?.[0]?.pointer, key).to.equal('/cursor')
        }
      })
    }

    it('the cursor of another list', async () => {
      const { nextCursor } = (await platform.get('/v1/clusters?limit=1')).as(200, pageOf(ClusterView))
      ;(await platform.get(`/v1/providers?cursor=${nextCursor}`)).problem('invalid-request')
    })
  })

  describe('what does not exist is not found:', () => {
    const paths = [
      `/v1/allocations/${NOBODY}`,
      `/v1/allocations/${NOBODY}/nodes`,
      `/v1/allocations/${NOBODY}/decisions`,
      '/v1/allocations/dec_aaaaaaaaaaaaaaaa',
      '/v1/allocations/alc_AAAAAAAAAAAAAAAA',
      '/v1/allocations/%00',
      '/v1/approvals/alc_aaaaaaaaaaaaaaaa',
      '/v1/approvals/a%2Fb',
      '/v1/approvals/%F0%9F%8D%8E',
      '/v1/clusters/nobody',
      '/v1/clusters/nobody/availability',
      '/v1/providers/nhn-b200-510',
      '/v1/nowhere',
    ]
    for (const path of paths) {
      it(path, async () => {
        ;(await platform.get(path)).problem('not-found')
      })
    }

    it('and is not released', async () => {
      ;(await platform.post(`/v1/allocations/${NOBODY}/release`, { reason: 'nonsense' })).problem('not-found')
    })
  })

  it('a method that is not there is answered with those that are', async () => {
    const refused = await platform.send('PATCH', `/v1/approvals/${approval}`)
    refused.problem('method-not-allowed')
    expect(refused.headers.get('allow')).to.equal('GET, HEAD, PUT')
  })

  it('an answer carries the caller’s request id if it is a sane one', async () => {
    const asked = (id: string) => platform.get('/v1/providers', { 'x-request-id': id })
    expect((await asked('trace-7')).headers.get('x-request-id')).to.equal('trace-7')
    expect((await asked('no good id')).headers.get('x-request-id')).not.to.equal('no good id')
  })

  it('a token is asked for, and a made-up one is none', async () => {
    const none = await broker.withToken(null).get('/v1/nowhere')
    none.problem('unauthorized')
    expect(none.headers.get('www-authenticate')).to.equal('Bearer realm="gpu-broker"')
    for (const token of ['nonsense', 'e30.e30.e30', 'x'.repeat(20_000)]) {
      const refused = await broker.withToken(token).get('/v1/providers')
      refused.problem('unauthorized')
      expect(refused.headers.get('www-authenticate')).to.include('error="invalid_token"')
    }
  })

  it('a single resource that the caller has already is not sent again', async () => {
    const { id } = await allocate(platform, approval)
    const paths = [
      `/v1/allocations/${id}`,
      `/v1/approvals/${approval}`,
      '/v1/clusters/nhn-b200-510',
      '/v1/providers/nhn',
    ]
    for (const path of paths) {
      const first = await platform.get(path)
      const again = await platform.get(path, { 'if-none-match': first.etag() })
      expect([again.status, again.etag()], path).to.deep.equal([304, first.etag()])
      expect((await platform.get(path, { 'if-none-match': '"other", "ones"' })).status, path).to.equal(200)
    }
  })

  it('HEAD is answered as GET, without the body', async () => {
    const head = await platform.send('HEAD', `/v1/approvals/${approval}`)
    expect([head.status, head.text]).to.deep.equal([200, ''])
    expect(head.etag()).to.equal((await platform.get(`/v1/approvals/${approval}`)).etag())
  })
})
