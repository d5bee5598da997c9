/** What `--help` says about options and arguments, and what each must be. */
export const KOREAN_OPTIONS = {
  'the broker (GPU_BROKER_URL; default http://127.0.0.1:8080)': '브로커(GPU_BROKER_URL, 기본값 http://127.0.0.1:8080)',
  'an access token (GPU_BROKER_TOKEN)': '액세스 토큰(GPU_BROKER_TOKEN)',
  'whose token to fetch (GPU_BROKER_CLIENT; default platform)':
    '토큰을 받을 클라이언트(GPU_BROKER_CLIENT, 기본값 platform)',
  'better in GPU_BROKER_CLIENT_SECRET, where no process list shows it':
    'GPU_BROKER_CLIENT_SECRET에 두는 편이 안전함. 프로세스 목록에 보이지 않음',
  'who issues it (GPU_BROKER_ISSUER; default the sandbox’s identity provider)':
    '토큰 발급자(GPU_BROKER_ISSUER, 기본값은 샌드박스의 인증 서버)',
  'ask for these scopes only': '이 범위만 요청',
  'table for people, json for programs, csv for lists': '사람이 볼 때 table, 프로그램은 json, 목록은 csv도 가능',
  'short for --output json': '--output json의 줄임',
  'say whom it calls, and what is tried again': '어디를 호출하고 무엇을 다시 시도하는지 표시',
  'choices:': '선택:',
  'default:': '기본값:',

  repeatable: '여러 번 지정 가능',
  'at most so many': '최대 개수',
  'why, for the audit trail': '감사 기록에 남길 이유',
  'the client id; default platform': '클라이언트 ID. 기본값 platform',
  'that is not there yet': '아직 없는 파일',
  'default: now': '기본값: 지금',
  'default: all operators': '기본값: 모든 사업자',
  'default: the beginning of this month': '기본값: 이번 달 처음',
  'such as 2026-12': '예: 2026-12',
  '"now", a day or an RFC 3339 time': '"now", 날짜 또는 RFC 3339 시각',
  'a day or an RFC 3339 time': '날짜 또는 RFC 3339 시각',
  'at most three years after it': '그로부터 최대 3년 뒤',
  'how many': '개수',

  'a request as JSON, "-" for standard input; options win over it': 'JSON 요청. "-"는 표준 입력이며 옵션이 우선함',
  'nodes of 8 GPUs': '노드 수(노드당 GPU 8개)',
  'GPUs, a multiple of 8': 'GPU 수(8의 배수)',
  'FP8 compute, counted in H200 GPUs': 'FP8 연산량(H200 GPU 환산)',
  'required: blackwell, hopper (repeatable)': '필수: blackwell, hopper(여러 번 지정 가능)',
  'required: B200, H200 (repeatable)': '필수: B200, H200(여러 번 지정 가능)',
  'required: liquid, air, undisclosed (repeatable)': '필수: liquid, air, undisclosed(여러 번 지정 가능)',
  'required: the full size of the cluster': '필수: 클러스터의 전체 크기',
  'required operator (repeatable)': '필수 사업자(여러 번 지정 가능)',
  'required: beta, general, undisclosed (repeatable)': '필수: beta, general, undisclosed(여러 번 지정 가능)',
  'required: government, operator (repeatable; default government)':
    '필수: government, operator(여러 번 지정 가능, 기본값 government)',
  'preferred, not required': '선호(필수 아님)',
  'fixed start: "now", a day or an RFC 3339 time': '고정된 시작: "now", 날짜 또는 RFC 3339 시각',
  'fixed end': '고정된 끝',
  'how long: with --start fixed, without it flexible': '기간(시간). --start가 있으면 고정, 없으면 유동',
  'flexible: not before': '유동: 이보다 일찍 시작하지 않음',
  'flexible: not after': '유동: 이보다 늦게 시작하지 않음',
  'national, standard or idle': 'national, standard, idle 중 하나',

  'the approval that allows it': '근거가 되는 승인',
  'a line of text for people': '사람이 알아볼 이름',
  'waitlist (default) or reject': 'waitlist(기본값) 또는 reject',
  'default: the first image of the cluster': '기본값: 클러스터의 첫 이미지',
  'a file of public keys to place on every node (repeatable)': '모든 노드에 넣을 공개 키 파일(여러 번 지정 가능)',
  'the same key asks once, however often it is sent; default a new one':
    '같은 키는 몇 번을 보내도 한 번만 요청함. 기본값은 새 키',
  'stay and show how it comes along': '남아서 진행 상황을 표시',
  'active, or final: ended for good': 'active 또는 final(완전히 끝남)',
  'between two looks': '조회 간격(초)',
  'give up after so long': '포기할 때까지의 시간(시간)',
  'only those that could run on it': '그 아키텍처에서 실행할 수 있는 것만',
  'not now but then: a day or an RFC 3339 time': '지금이 아니라 그때: 날짜 또는 RFC 3339 시각',
  'the new end: a day or an RFC 3339 time': '새로운 끝: 날짜 또는 RFC 3339 시각',
  'how many stay': '남길 노드 수',

  'chosen by you: 1 to 64 of [A-Za-z0-9._-]': '직접 정하는 ID: [A-Za-z0-9._-] 1~64자',
  'the approval as JSON, "-" for standard input; options win over it': 'JSON 승인. "-"는 표준 입력이며 옵션이 우선함',
  'who may have it': '사용할 기관',
  'university, institute, company, startup or public': 'university, institute, company, startup, public 중 하나',
  'the programme that it belongs to': '속한 사업',
  'nodes at once': '동시에 쓸 노드 수',
  'GPU-hours over the whole validity': '유효 기간 전체의 GPU 시간',
  'blackwell, hopper (repeatable)': 'blackwell, hopper(여러 번 지정 가능)',
  'valid from: "now", a day or an RFC 3339 time': '유효 기간의 시작: "now", 날짜 또는 RFC 3339 시각',
  'valid until': '유효 기간의 끝',

  'also those where nothing can be placed': '배치할 수 없는 것까지 포함',
  'why, for whoever is affected': '영향을 받는 이에게 알릴 이유',
  'only those after this one, or "latest"; default: from the oldest that is kept':
    '이 번호 다음부터, 또는 "latest". 기본값: 보관된 가장 오래된 것부터',
  'only these, such as allocation.active (repeatable)': '이 종류만. 예: allocation.active(여러 번 지정 가능)',
  'only those about this allocation': '이 할당에 관한 것만',
  'end after so many': '이만큼 표시하면 끝냄',
  'https, and on the public internet': '공개 인터넷의 https 주소',
  'the node’s id at the operator': '사업자 쪽의 노드 ID',
  'whose it is': '누구의 것인지',
  'when it is given back: a day or an RFC 3339 time': '반납 시각: 날짜 또는 RFC 3339 시각',
  'put it in force': '적용',
  'approvals, allocations and their instance ids as JSON or YAML; "-" for standard input':
    '승인, 할당, 인스턴스 ID를 담은 JSON 또는 YAML. "-"는 표준 입력',
  'show what would be done, and every problem; the default': '할 일과 모든 문제를 표시(기본값)',
  'do it: all of it, or nothing': '실행: 전부 하거나 아무것도 하지 않음',

  'only since then': '그 시각부터',
  'only before then': '그 시각 전까지',
  'only what this client asked for': '이 클라이언트가 요청한 것만',
  'only this operation, such as createAllocation': '이 작업만. 예: createAllocation',
  'only those made then or later: a day or an RFC 3339 time': '그 시각부터 내린 것만: 날짜 또는 RFC 3339 시각',
  'only those made before': '그 시각 전에 내린 것만',
  'up to two of {groups}': '{groups} 중 최대 두 가지',

  'the module that exports createProvider(kind, rawSettings, context)':
    'createProvider(kind, rawSettings, context)를 내보내는 모듈',
  'its settings and what the kit must know, as JSON': '어댑터 설정과 시험에 필요한 정보(JSON)',
  'cases by id, or by the beginning of it; several times, or with commas':
    '사례 ID 또는 그 앞부분. 여러 번 또는 쉼표로 지정',
  'print the cases, one a line, and try none': '사례를 한 줄에 하나씩 출력만 함',
  'write the results as JUnit XML': '결과를 JUnit XML로 저장',
  'write the report, by its ending as .html or .json': '보고서를 저장(확장자에 따라 .html 또는 .json)',

  'a CSV with job_id, submit_s, duration_s, nodes (and req_s), or a .swf; .gz is accepted':
    'job_id, submit_s, duration_s, nodes(와 req_s)를 담은 CSV 또는 .swf. .gz도 가능',
  'the clusters; default those of the programme, from when all are complete':
    '클러스터. 기본값은 모두 완공된 뒤의 국가 클러스터',
  'the broker’s placement policy as JSON; what it leaves out stays as it is':
    '브로커의 배치 정책(JSON). 빠진 항목은 그대로 둠',
  'bring arrivals together until so much of the fleet is used; default as they came':
    '전체의 이 비율을 쓸 때까지 도착 간격을 줄임. 기본값은 원래대로',
  'requests of the log passed over': '건너뛸 요청 수',
  'most requests taken': '최대 요청 수',
  'what the log does not say (architecture, organisation) is drawn from it':
    '기록에 없는 것(아키텍처, 기관)을 뽑는 난수의 씨앗',
  'r1: nodes × 510/4360 and time × 24; the result is synthetic and says so':
    'r1: 노드 × 510/4360, 시간 × 24. 결과는 합성이며 그렇게 표시됨',
  'the first submission; default when every cluster has its full size':
    '첫 제출 시각. 기본값은 모든 클러스터가 완공된 때',
  'write a page with plots there, as HTML': '그래프가 있는 HTML 페이지를 저장',

  'It must be a whole number above 0.': '1 이상의 정수여야 합니다.',
  'It must be a whole number, 0 or more.': '0 이상의 정수여야 합니다.',
  'It must be a number above 0.': '0보다 큰 수여야 합니다.',
  'It must be "now", a day such as 2026-12-01, or a time such as 2026-12-01T09:00:00+09:00.':
    '"now", 2026-12-01 같은 날짜, 2026-12-01T09:00:00+09:00 같은 시각 중 하나여야 합니다.',
  'It must be key=value.': 'key=value 형식이어야 합니다.',
} as const
