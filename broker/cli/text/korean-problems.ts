/** The titles of the broker's refusals: what is wrong, in a few words. Codes and details stay as the broker says them. */
import type { RefusalCode } from '../../../shared/refusal.ts'

export const KOREAN_PROBLEMS: Readonly<Record<RefusalCode, string>> = {
  'invalid-request': '요청이 올바르지 않음',
  unauthorized: '유효한 액세스 토큰이 필요함',
  'insufficient-scope': '토큰에 권한 범위가 없음',
  'not-found': '해당하는 것이 없음',
  'method-not-allowed': '허용되지 않는 메서드',
  'no-capacity': '그 기간에 남은 용량이 없음',
  'limit-below-committed': '한도가 이미 확정된 양보다 작음',
  'not-in-this-status': '지금 상태에서는 할 수 없음',
  'too-many-webhooks': '웹훅을 더 만들 수 없음',
  'idempotency-in-flight': '같은 요청이 아직 처리 중',
  'events-gone': '이 번호 다음의 이벤트는 더 이상 보관되지 않음',
  stale: '읽은 뒤에 바뀜',
  'payload-too-large': '본문이 너무 큼',
  'unsupported-media-type': '본문의 미디어 형식이 다름',
  'approval-unknown': '알 수 없는 승인',
  'approval-revoked': '철회된 승인',
  'approval-exceeded': '승인 한도를 넘음',
  'demand-not-whole-nodes': '노드 단위로 나누어떨어지지 않는 요청',
  unsatisfiable: '어떤 클러스터로도 충족할 수 없음',
  'invalid-inventory': '인벤토리 파일이 올바르지 않음',
  'idempotency-key-reused': '멱등 키가 다른 요청에 쓰임',
  'rate-limited': '요청이 너무 많음',
  internal: '브로커 오류',
  unavailable: '브로커가 지금은 응답할 수 없음',
}
