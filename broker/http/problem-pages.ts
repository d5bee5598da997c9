/** `/problems/{code}`: what each refusal means and what to do about it, for whoever follows the `type` of a problem. */
import type { Request, Response } from 'express'
import { Refusal, type RefusalCode } from '../../shared/refusal.ts'
import { SUCCESS_STATUS, isRefusalCode, statusOf, titleOf, typeOf } from './problem.ts'
import { send, sendJson } from './send.ts'

interface Explanation {
  readonly en: string
  readonly ko: string
}

const EXPLANATIONS: Readonly<Record<RefusalCode, Explanation>> = {
  'invalid-request': {
    en: 'The request does not have the form that the contract describes. The member errors lists every fault with a JSON pointer into the body (/demand/nodes) or to a query member (/limit). Correct them and send it again; nothing was changed.',
    ko: '요청의 형식이 규약과 다릅니다. errors 항목에 잘못된 점이 모두, 본문의 위치(/demand/nodes)나 쿼리 항목(/limit)을 가리키는 JSON 포인터와 함께 적혀 있습니다. 고쳐서 다시 보내십시오. 변경된 것은 없습니다.',
  },
  unauthorized: {
    en: 'The request carries no access token, or one that is expired, not yet valid, for another audience or not verifiable. Get a new token from the identity provider and send it as Authorization: Bearer.',
    ko: '액세스 토큰이 없거나, 만료되었거나, 아직 유효하지 않거나, 다른 대상의 것이거나, 검증할 수 없습니다. 인증 서버에서 새 토큰을 받아 Authorization: Bearer 헤더로 보내십시오.',
  },
  'insufficient-scope': {
    en: 'The token is good but does not carry the scope that this call needs; the member scope names it. Ask whoever administers the identity provider for it.',
    ko: '토큰은 유효하지만 이 호출에 필요한 권한(scope 항목에 표시)이 없습니다. 인증 서버 관리자에게 권한을 요청하십시오.',
  },
  'not-found': {
    en: 'There is nothing at this path, or what is there is not for this caller to see. Check the id and the path.',
    ko: '이 경로에 해당하는 것이 없거나, 이 호출자가 볼 수 없는 것입니다. 식별자와 경로를 확인하십시오.',
  },
  'method-not-allowed': {
    en: 'The path exists, but not with this method. The header Allow lists the methods that it has.',
    ko: '경로는 있으나 이 메서드는 지원하지 않습니다. Allow 헤더에서 사용할 수 있는 메서드를 확인하십시오.',
  },
  'payload-too-large': {
    en: 'The body is larger than 256 KiB. No request of this contract needs that much.',
    ko: '본문이 256 KiB를 넘습니다. 이 규약의 어떤 요청도 그만큼 필요하지 않습니다.',
  },
  'unsupported-media-type': {
    en: 'Bodies must be application/json in UTF-8, not compressed. Set the header Content-Type accordingly.',
    ko: '본문은 압축하지 않은 UTF-8 application/json이어야 합니다. Content-Type 헤더를 맞게 지정하십시오.',
  },
  'approval-unknown': {
    en: 'No approval with this id is registered, or it belongs to another organisation. Register it first with PUT /v1/approvals/{approvalId}.',
    ko: '이 식별자의 승인이 등록되어 있지 않거나 다른 기관의 것입니다. 먼저 PUT /v1/approvals/{approvalId}로 등록하십시오.',
  },
  'approval-revoked': {
    en: 'The approval has been revoked, so nothing new can be allocated under it.',
    ko: '철회된 승인이므로 새로 할당할 수 없습니다.',
  },
  'approval-exceeded': {
    en: 'The request asks for more than the approval allows. The problem names the limit, what was asked for and what is left of it. What is waiting or scheduled counts too.',
    ko: '승인 한도를 넘는 요청입니다. 어떤 한도인지, 요청량과 남은 양이 함께 표시됩니다. 대기 중이거나 예정된 할당도 한도에 포함됩니다.',
  },
  'demand-not-whole-nodes': {
    en: 'Nodes are given out whole, with 8 GPUs each: gpus must be a multiple of 8.',
    ko: '노드는 GPU 8개 단위로만 제공됩니다. gpus는 8의 배수여야 합니다.',
  },
  unsatisfiable: {
    en: 'No cluster, even if it were empty, could ever serve this request. The reasons name for each cluster what was wanted and what it has. Relax what is required.',
    ko: '모든 클러스터가 비어 있어도 충족할 수 없는 요청입니다. 클러스터마다 요구한 것과 실제 사양이 사유로 표시됩니다. 필수 조건을 완화하십시오.',
  },
  'no-capacity': {
    en: 'There is no room for what was asked in the time that was asked. The problem lists the candidates and what stands in the way. Ask for another period, or let the request wait with ifUnavailable: "waitlist".',
    ko: '요청한 기간에 여유 자원이 없습니다. 후보와 막힌 이유가 함께 표시됩니다. 다른 기간을 요청하거나 ifUnavailable: "waitlist"로 대기하십시오.',
  },
  'limit-below-committed': {
    en: 'The new limit is lower than what is already committed under the approval. Release allocations first, or set a higher limit.',
    ko: '새 한도가 이미 배정된 양보다 낮습니다. 먼저 할당을 해제하거나 한도를 높이십시오.',
  },
  'invalid-inventory': {
    en: 'The file that INVENTORY names cannot be read, or what it says is not an inventory; the detail names the member. The broker goes on with the inventory that it has.',
    ko: 'INVENTORY가 가리키는 파일을 읽을 수 없거나 내용이 올바른 인벤토리가 아닙니다. 어느 항목인지는 detail에 표시됩니다. 브로커는 기존 인벤토리로 계속 동작합니다.',
  },
  'not-in-this-status': {
    en: 'What was asked is not possible in the status that the resource is in. Look at it again before deciding what to do.',
    ko: '현재 상태에서는 할 수 없는 작업입니다. 최신 상태를 다시 확인하십시오.',
  },
  'too-many-webhooks': {
    en: 'Each webhook is sent to on its own, and the broker keeps only so many in time. Delete one that nobody needs any more.',
    ko: '웹훅마다 따로 전송하므로 등록할 수 있는 수가 정해져 있습니다. 더 이상 필요 없는 웹훅을 먼저 삭제하십시오.',
  },
  'idempotency-key-reused': {
    en: 'This idempotency key was already used for a different request. Use a new key for every new request; repeat a key only with the same method, path and body.',
    ko: '이미 다른 요청에 사용된 멱등 키입니다. 새 요청마다 새 키를 쓰고, 같은 메서드·경로·본문을 다시 보낼 때만 같은 키를 쓰십시오.',
  },
  'idempotency-in-flight': {
    en: 'The first request with this idempotency key is still being answered. Send the same request again shortly to get its answer.',
    ko: '같은 멱등 키의 첫 요청이 아직 처리 중입니다. 잠시 후 같은 요청을 다시 보내면 그 결과를 받습니다.',
  },
  'events-gone': {
    en: 'Events after the number that was given have passed their retention, so a log read on from there would have a hole. The member oldest is the number of the oldest event that is still kept: read the present state of what you follow, then go on with after set to the number before it.',
    ko: '요청한 번호 다음의 이벤트가 보존 기간을 지나 삭제되어, 그 지점부터 이어 읽으면 누락이 생깁니다. oldest 항목은 아직 남아 있는 가장 오래된 이벤트 번호입니다. 현재 상태를 다시 조회한 뒤 after에 그 직전 번호를 지정하십시오.',
  },
  stale: {
    en: 'The resource has changed since the version that If-Match names, or is there where If-None-Match says that it is not to be: read it again, and decide again. Where nothing has a version, as where something is created, leave If-Match out.',
    ko: 'If-Match에 적힌 버전 이후로 변경되었거나, If-None-Match로 없어야 한다고 한 것이 이미 있습니다. 다시 읽고 판단하십시오. 생성처럼 버전이 있는 대상이 없는 요청에는 If-Match를 보내지 마십시오.',
  },
  'rate-limited': {
    en: 'The client has sent more requests than its rate allows, or has more of them under way at once than one may. Wait as long as Retry-After says.',
    ko: '허용된 속도보다 많은 요청을 보냈거나, 동시에 진행 중인 요청이 너무 많습니다. Retry-After에 적힌 시간만큼 기다리십시오.',
  },
  unavailable: {
    en: 'The broker cannot answer just now because something that it depends on does not answer, or because more is asked of it than it can answer in time. Try again after Retry-After seconds, with the same idempotency key.',
    ko: '의존하는 시스템이 응답하지 않거나 제때 답할 수 있는 것보다 많은 요청이 와서 지금은 처리할 수 없습니다. Retry-After 초 뒤에 같은 멱등 키로 다시 시도하십시오.',
  },
  internal: {
    en: 'The broker failed. It may or may not have done what was asked: repeat the request with the same idempotency key. When reporting it, quote the x-request-id of the answer.',
    ko: '브로커 내부 오류입니다. 요청이 처리되었을 수도 있으니 같은 멱등 키로 다시 보내십시오. 문의할 때는 응답의 x-request-id를 알려 주십시오.',
  },
}

/** A page, or JSON for those who prefer it. */
export function showProblem(request: Request, response: Response): void {
  const { code } = request.params
  if (typeof code !== 'string' || !isRefusalCode(code)) {
    throw new Refusal('not-found', 'There is no problem with this code.')
  }
  response.vary('Accept')
  if (request.accepts(['html', 'json']) === 'json') {
    const page = { type: typeOf(code), code, title: titleOf(code), status: statusOf(code), ...EXPLANATIONS[code] }
    sendJson(response, SUCCESS_STATUS.ok, page)
    return
  }
  send(response, { status: SUCCESS_STATUS.ok, type: 'text/html; charset=utf-8', text: pageOf(code) })
}

function pageOf(code: RefusalCode): string {
  const { en, ko } = EXPLANATIONS[code]
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(titleOf(code))}</title>
<h1>${escaped(titleOf(code))}</h1>
<p><code>${code}</code>, status ${statusOf(code)}</p>
<p>${escaped(en)}</p>
<p lang="ko">${escaped(ko)}</p>
</html>
`
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
