/**
 * Two members of one name in a JSON text, which `JSON.parse` makes one of without a word. Whoever looked at the text on its
 * way may have seen the other one, so neither counts.
 */

/** Members that the text of a JSON value writes: as many as it has colons outside its strings. */
export function membersWritten(json: string): number {
  let members = 0
  let isInString = false
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') isInString = !isInString
    else if (isInString && character === '\\') at += 1
    else if (!isInString && character === ':') members += 1
  }
  return members
}

interface Level {
  /** Of the object so far; null in a list. */
  readonly names: Set<string> | null
  step: string | number
}

/** The path of the first member whose name its object has already; null for none. @param json what has been parsed */
export function repeatedMember(json: string): readonly string[] | null {
  const levels: Level[] = []
  let text = '""'
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    const level = levels.at(-1)
    if (token === '{') levels.push({ names: new Set(), step: '' })
    else if (token === '[') levels.push({ names: null, step: 0 })
    else if (token === '}' || token === ']') levels.pop()
    else if (token === ',' && typeof level?.step === 'number') level.step += 1
    else if (token === ':' && level?.names) {
      level.step = JSON.parse(text) as string // between a brace or a comma and a colon there is a string
      if (level.names.has(level.step)) return levels.map(({ step }) => String(step))
      level.names.add(level.step)
    } else text = token
  }
  return null
}
