/** What `--help` says about commands. */
export const KOREAN_COMMANDS = {
  'Places approved GPU allocations on a country’s clusters, and sees to it that they run there.':
    '승인된 GPU 할당을 국가 클러스터에 배치하고 실제로 가동되도록 합니다.',
  'show this': '이 도움말을 표시',
  'show which release this is': '어느 릴리스인지 표시',
  'show what a command takes': '명령의 사용법을 표시',

  'run the broker, configured by the environment, until it is told to stop':
    '환경 변수로 설정한 브로커를 멈추라고 할 때까지 실행',
  'look at configuration, database, issuer and every operator as the environment has them, and say what to do':
    '환경이 가리키는 설정, 데이터베이스, 발급자, 모든 사업자를 살펴보고 할 일을 알려 줌',
  'run the migrations on the store of DATABASE_URL or DATA_DIR, and end; serve does so too':
    'DATABASE_URL 또는 DATA_DIR 저장소의 마이그레이션만 실행. serve도 시작할 때 실행함',
  'write the store of DATABASE_URL or DATA_DIR into a file; a broker on PostgreSQL may go on meanwhile':
    'DATABASE_URL 또는 DATA_DIR 저장소를 파일로 백업. PostgreSQL이면 브로커를 멈추지 않아도 됨',
  'put a backup into the empty store of DATABASE_URL or DATA_DIR; deletions are held afterwards':
    '비어 있는 DATABASE_URL 또는 DATA_DIR 저장소에 백업을 복원. 그 뒤 삭제는 보류됨',
  'print the broker’s configuration as the environment gives it, secrets masked':
    '환경 변수에 따른 브로커 설정을 출력(비밀 값은 가림)',
  'print an access token; without other options, one from the sandbox’s identity provider':
    '액세스 토큰을 출력. 다른 옵션이 없으면 샌드박스의 인증 서버에서 받음',
  'try an adapter against the provider contract (docs/adding-a-provider.md)':
    '어댑터가 공급자 계약을 지키는지 시험(docs/adding-a-provider.md)',
  'replay a log of real requests through the broker’s own decisions, beside FCFS, any-fit, EASY and conservative':
    '실제 요청 기록을 브로커의 결정 로직으로 재생하고 FCFS, any-fit, EASY, conservative와 비교',

  'print a script that completes commands and options: source <(gpu-broker completion bash)':
    '명령과 옵션을 자동 완성하는 스크립트를 출력: source <(gpu-broker completion bash)',

  'the operators, how they are, and whether anything is placed there': '사업자와 그 상태, 새 배치를 받는지 여부',
  'list the operators and how they are': '사업자와 그 상태를 나열',
  'look at one operator': '사업자 하나를 조회',
  'place nothing new at an operator; what runs goes on': '사업자에 새로 배치하지 않음. 가동 중인 것은 그대로 둠',
  'place at an operator again': '사업자에 다시 배치',
  'what there is, what is free when, and whether anything is placed there':
    '클러스터와 시기별 여유, 새 배치를 받는지 여부',
  'list the clusters: what they are, what is in service, what is taken': '클러스터의 사양과 가동·사용 현황을 나열',
  'look at one cluster': '클러스터 하나를 조회',
  'see what of a cluster is free when': '클러스터의 시기별 여유를 표시',
  'place nothing new on a cluster; what runs goes on': '클러스터에 새로 배치하지 않음. 가동 중인 것은 그대로 둠',
  'place on a cluster again': '클러스터에 다시 배치',
  'nodes of a cluster that are out of service for a time': '클러스터의 일부 노드를 한동안 비우는 점검(드레인)',
  'take nodes of a cluster out of service for a time': '클러스터의 노드를 한동안 서비스에서 뺌',
  'list the drains of a cluster, lifted ones too': '클러스터의 드레인을 해제된 것까지 나열',
  'look at one drain and whom it has moved': '드레인 하나와 그로 인해 옮겨진 할당을 조회',
  'lift a drain before its time': '드레인을 예정보다 일찍 해제',
  'see where and when a request could be placed; changes nothing':
    '요청을 언제 어디에 배치할 수 있는지 표시. 아무것도 바꾸지 않음',

  'who may have how much, until when': '누가 얼마만큼 언제까지 쓸 수 있는지',
  'register an approval, or replace it': '승인을 등록하거나 바꿈',
  'look at one approval and what it has used': '승인 하나와 그 사용량을 조회',
  'list the approvals': '승인을 나열',
  'revoke an approval; its allocations are released': '승인을 취소. 그 할당도 반납됨',
  'nodes for a time, under an approval': '승인에 따라 기간을 정해 쓰는 노드',
  'ask for nodes under an approval': '승인에 따라 노드를 요청',
  'list allocations': '할당을 나열',
  'look at one allocation': '할당 하나를 조회',
  'list the nodes of an allocation': '할당의 노드를 나열',
  'list what was decided about an allocation': '할당에 대해 내린 결정을 나열',
  'show how an allocation comes along, until it is active or has ended':
    '할당이 가동되거나 끝날 때까지 진행 상황을 표시',
  'end an allocation and give its nodes back': '할당을 끝내고 노드를 반납',
  'keep an allocation for longer, if nobody has the room after it': '뒤가 비어 있으면 할당을 연장',
  'give some nodes of an allocation back: those with the highest numbers': '할당의 노드 일부를 번호가 큰 것부터 반납',
  'take a failed allocation up again': '실패한 할당을 다시 시도',
  'list who waits, in serving order': '대기자를 순번대로 나열',

  'what happened, in one order, and what happens next': '일어난 일을 한 순서로, 그리고 앞으로 일어날 일',
  'list what happened, the oldest first': '일어난 일을 오래된 것부터 나열',
  'show what happens as it happens, until interrupted': '일어나는 일을 중단할 때까지 실시간으로 표시',
  'endpoints that events are sent to': '이벤트를 받는 엔드포인트',
  'have events sent to an endpoint from now on': '이제부터 이벤트를 엔드포인트로 보냄',
  'list the endpoints that events are sent to': '이벤트를 받는 엔드포인트를 나열',
  'look at one webhook': '웹훅 하나를 조회',
  'send no more events to an endpoint': '엔드포인트로 이벤트를 더 보내지 않음',
  'give a webhook a new secret; for 24 h deliveries carry the signatures of both':
    '웹훅의 비밀 키를 새로 발급. 24시간 동안 두 서명을 함께 보냄',
  'list what was sent to a webhook, and what became of it': '웹훅으로 보낸 것과 그 결과를 나열',
  'send an event to a webhook once more': '이벤트를 웹훅으로 다시 보냄',

  'what operators list, compared with what is known': '사업자의 목록과 저장된 내용의 비교(점검)',
  'see what the last sweep of an operator found': '사업자를 마지막으로 점검한 결과를 표시',
  'let what sweeps hold back at an operator now be deleted': '점검이 보류한 삭제를 지금 허용',
  'nodes that a sweep has found': '점검에서 발견된 노드',
  'take over a node whose allocation is not known, with all that carry the same tag':
    '할당을 알 수 없는 노드를 같은 태그의 노드와 함께 넘겨받음',
  'delete a node that carries our tag and that a sweep has found': '우리 태그가 있고 점검에서 발견된 노드를 삭제',
  'say that a node that others made is in nobody’s way': '다른 이가 만든 노드가 방해되지 않는다고 표시',
  'count a node that others made as out of service again': '다른 이가 만든 노드를 다시 서비스 불가로 계산',
  'make and delete nothing at operators; requests are still taken':
    '사업자에서 아무것도 만들거나 지우지 않음. 요청은 계속 받음',
  'make and delete at operators again': '사업자에서 다시 만들고 지움',
  'delete nothing at any operator that no person has asked for': '사람이 요청하지 않은 삭제를 모든 사업자에서 멈춤',
  'delete at operators again, after a restore or hold-deletes': '복원이나 hold-deletes 뒤에 삭제를 다시 시작',
  'which clusters there are, and from when': '어떤 클러스터가 언제부터 있는지',
  'show what the inventory’s file says anew, and which promises would slip':
    '인벤토리 파일에서 바뀐 내용과 늦어질 약속을 표시',
  'take grants over that run already, without touching a node': '이미 쓰고 있는 자원을 노드를 건드리지 않고 넘겨받음',
  'log more or less from now on, at the replica that answers': '응답하는 복제본의 로그 수준을 지금부터 바꿈',

  'what was decided, and why': '무엇을 왜 결정했는지',
  'list all decisions, in the order in which they were made': '모든 결정을 내린 순서대로 나열',
  'why a decision was made, and what would have changed it': '결정의 이유와 무엇이 달랐다면 바뀌었을지를 표시',
  'make every decision again on this machine, from the log that it followed from, and compare':
    '근거가 된 기록으로 모든 결정을 이 컴퓨터에서 다시 내려 비교',
  'what decisions followed from': '결정의 근거',
  'see how far the calendar and the decisions have come': '캘린더와 결정이 어디까지 왔는지 표시',
  'list what changed the calendar, the oldest first': '캘린더를 바꾼 것을 오래된 것부터 나열',
  'hours reserved and active, and closing months': '예약·가동 시간과 월 마감',
  'hours reserved and active': '예약·가동 시간',
  'close a month that is over: its figures stay, what turns out later counts in the month it turns out':
    '지난 달을 마감. 그 수치는 바뀌지 않고 나중에 드러난 것은 드러난 달에 더함',
  'what a month comes to, per operator and program': '한 달의 정산을 사업자와 사업별로 표시',
  'who asked for what change': '누가 어떤 변경을 요청했는지',
  'see where the trail begins and ends, to keep a copy of its last hash elsewhere':
    '감사 기록의 처음과 끝을 표시. 마지막 해시를 다른 곳에 보관할 때 사용',
  'walk the whole trail and name the first record that is not what it should be':
    '감사 기록 전체를 확인하고 어긋난 첫 기록을 표시',
} as const
