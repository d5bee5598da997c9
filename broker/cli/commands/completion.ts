/** `completion bash | zsh`: a script that completes commands and options; it is made once, and asks nobody while one types. */
import { Argument, type Command } from 'commander'
import type { Io } from '../io.ts'
import type { Run } from './command-context.ts'

const SHELLS = ['bash', 'zsh'] as const
type Shell = (typeof SHELLS)[number]

export const describeCompletion = (command: Command, { t }: Io): Command =>
  command
    .description(t('print a script that completes commands and options: source <(gpu-broker completion bash)'))
    .addArgument(new Argument('<shell>').choices(SHELLS))

/** @param program with all of its commands by the time that it runs */
export const printCompletion =
  (program: Command): Run<object> =>
  async ({ answer }, shell = '') => {
    const script = scriptFor(program, shell as Shell) // one of the choices
    answer({ shell, script }, () => script)
    return undefined
  }

interface Place {
  /** `allocations create`; empty for the program alone. */
  readonly path: string
  /** What may come next there. */
  readonly words: readonly string[]
}

/** The program and every command below it, each before its own. */
export function placesIn(program: Command, path = ''): readonly Place[] {
  const options = program.options.flatMap(({ long }) => (long === null || long === undefined ? [] : [long]))
  const below = program.commands.flatMap((one) => placesIn(one, `${path} ${one.name()}`.trim()))
  return [{ path, words: [...program.commands.map((one) => one.name()), ...options, '--help'] }, ...below]
}

/** Arguments and the values of options are no part of the path: only what is a command leads on. */
function scriptFor(program: Command, shell: Shell): string {
  const places = placesIn(program)
  const global = program.options.flatMap(({ long }) => long ?? []).join(' ')
  const cases = places.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
  return `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_gpu_broker() {
  local paths='|${places.map(({ path }) => path).join('|')}|' path='' word words index
  for ((index = 1; index < COMP_CWORD; index += 1)); do
    word="\${path:+$path }\${COMP_WORDS[index]}"
    case "$paths" in *"|$word|"*) path="$word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words ${global}" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _gpu_broker gpu-broker
`
}
