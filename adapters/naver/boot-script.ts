/**
 * The script that brings an allocation's SSH keys onto its nodes. The operator keeps it as an object of its own, one for
 * each node group, which sweepLeftovers removes once the nodes are up.
 */
import { ownerTagText } from '../../shared/ids.ts'
import type { Call, NodeGroup } from '../../shared/provider.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import { type NaverClient, readRows } from './client.ts'
import { InitScript } from './wire.ts'

/** Runs at first boot, may run again, and keeps what is in the file already. */
export function bootScript(loginUser: string, sshPublicKeys: readonly string[]): string {
  const lines = [
    '#!/bin/sh',
    'set -eu',
    `user=${quoted(loginUser)}`,
    'home=$(getent passwd "$user" | cut -d: -f6)',
    'file="$home/.ssh/authorized_keys"',
    'mkdir -p "$home/.ssh"',
    'touch "$file"',
    // A last line without an end would swallow the first key.
    '[ -z "$(tail -c 1 "$file")" ] || echo >> "$file"',
    'add() { grep -qxF -- "$1" "$file" || printf \'%s\\n\' "$1" >> "$file"; }',
    ...sshPublicKeys.map((key) => `add ${quoted(asciiOnly(key))}`),
    'chown -R "$user:" "$home/.ssh"',
    'chmod 700 "$home/.ssh"',
    'chmod 600 "$file"',
  ]
  return `${lines.join('\n')}\n`
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The operator takes ASCII only. Only a key's comment can hold anything else. */
const asciiOnly = (key: string): string => key.trim().replaceAll(/[^\x20-\x7e]/g, '?')

export const listInitScripts = (client: NaverClient, call: Call): Promise<InitScript[]> =>
  client.listAll({ ...SCRIPT_LIST, action: 'getInitScriptList', idOf: (script) => script.initScriptNo }, call)

const SCRIPT_LIST = { rows: 'initScriptList', row: InitScript } as const

/** The group's script, made if lists do not show it. Null without keys: then nothing is made at all. */
export async function scriptFor(
  parts: { readonly client: NaverClient; readonly loginUser: string },
  group: NodeGroup,
  call: Call,
): Promise<string | null> {
  if (group.sshPublicKeys.length === 0) return null
  const description = ownerTagText(group.owner)
  const found = (await listInitScripts(parts.client, call)).find(
    (script) => script.initScriptName === group.name && script.initScriptDescription === description,
  )
  if (found !== undefined) return found.initScriptNo
  const action = 'createInitScript'
  const payload = await parts.client.change(
    {
      action,
      parameters: {
        initScriptName: group.name,
        initScriptDescription: description,
        initScriptContent: bootScript(parts.loginUser, group.sshPublicKeys),
        osTypeCode: 'LNX',
      },
    },
    call,
  )
  const made = readRows(payload, { ...SCRIPT_LIST, action }, 'maybe')[0]
  if (made === undefined)
    throw new ProviderError('malformed', 'the answer to createInitScript names no script', { effect: 'maybe' })
  return made.initScriptNo
}
