/** Init scripts: what a server runs at its first boot. They stay, readable, until somebody deletes them. */
import { ServiceRefusal, invalidParameter } from './naver-errors.ts'
import { code, wireDate } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import {
  among,
  contains,
  descriptionGiven,
  equals,
  existingServers,
  listed,
  nameGiven,
  rowsOf,
  stateOf,
} from './naver-world.ts'
import type { Actions, ScriptRecord, World } from './naver-world.ts'

const MAX_CONTENT_BYTES = 1_024 * 1_024

export const scriptActions = (world: World): Actions => ({
  createInitScript(given) {
    const content = given.required('initScriptContent')
    const osTypeCode = given.text('osTypeCode') ?? 'LNX'
    if (osTypeCode !== 'LNX' && osTypeCode !== 'WND') throw invalidParameter('osTypeCode', 'must be LNX or WND.')
    checkContent(content, osTypeCode)
    const name = nameGiven(given, 'initScriptName')
    const description = descriptionGiven(given, 'initScriptDescription')
    const initScriptNo = world.nextNo()
    const createdAtMs = world.now()
    const script: ScriptRecord = {
      initScriptNo,
      name: name ?? `is-${initScriptNo}`,
      description,
      content,
      osTypeCode,
      createdAtMs,
    }
    world.scripts.set(initScriptNo, script)
    world.context.ledger.made({ kind: 'init-script', id: initScriptNo, name: script.name, atMs: createdAtMs })
    return rowsOf('initScriptList', [view(script)])
  },

  getInitScriptList(given) {
    const numbers = given.list('initScriptNoList')
    const [name, osTypeCode] = [given.text('initScriptName'), given.text('osTypeCode')]
    const rows = world.scripts
      .values()
      .filter((script) => among(numbers, script.initScriptNo) && contains(name, script.name))
      .filter((script) => equals(osTypeCode, script.osTypeCode))
    return listed(given, 'initScriptList', rows.map(view))
  },

  getInitScriptDetail(given) {
    const script = world.scripts.get(given.required('initScriptNo'))
    return rowsOf('initScriptList', script === undefined ? [] : [view(script)])
  },

  deleteInitScripts(given) {
    const numbers = [...new Set(given.list('initScriptNoList'))]
    if (numbers.length === 0) throw invalidParameter('initScriptNoList', 'is required.')
    const scripts = numbers.map((number) => deletable(world, number))
    for (const { initScriptNo } of scripts) {
      world.scripts.delete(initScriptNo)
      world.context.ledger.gone('init-script', initScriptNo, world.now())
    }
    return rowsOf('initScriptList', scripts.map(view))
  },
})

function checkContent(content: string, osTypeCode: 'LNX' | 'WND'): void {
  if (Buffer.byteLength(content) > MAX_CONTENT_BYTES) throw invalidParameter('initScriptContent', 'is over 1024 KB.')
  // Every character outside ASCII takes more than one byte.
  if (Buffer.byteLength(content) !== content.length) throw invalidParameter('initScriptContent', 'must be in English.')
  if (osTypeCode === 'LNX' && !content.startsWith('#!')) {
    throw invalidParameter('initScriptContent', 'must begin with its interpreter.')
  }
}

/** A script that a server has still to run stays: without it the server would come up as something else. */
function deletable(world: World, initScriptNo: string): ScriptRecord {
  const script = world.scripts.get(initScriptNo)
  if (script === undefined) throw new ServiceRefusal('notFound', `Init script ${initScriptNo} does not exist.`)
  const isWaitedFor = existingServers(world).some(
    (server) => server.initScriptNo === initScriptNo && ['INIT', 'CREAT'].includes(stateOf(world, server).status),
  )
  if (!isWaitedFor) return script
  throw new ServiceRefusal('scriptInUse', `Init script ${initScriptNo} is in use by a server that is being created.`)
}

const view = (script: ScriptRecord): WireRecord => ({
  initScriptNo: script.initScriptNo,
  initScriptName: script.name,
  createDate: wireDate(script.createdAtMs),
  initScriptDescription: script.description,
  initScriptContent: script.content,
  osType: script.osTypeCode === 'LNX' ? code('LNX', 'LINUX') : code('WND', 'WINDOWS'),
})
