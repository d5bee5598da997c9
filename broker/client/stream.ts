/**
 * Server-sent events that survive their connection: it is opened again behind the number seen last. The broker also tells
 * it before the first event, so that "from now on" stays the same now, and while nothing that is asked for happens.
 */
import { createParser } from 'eventsource-parser'
import type { CloudEvent } from '../../shared/event.ts'
import { SECOND_MS } from '../../shared/time.ts'
import type { Asked, Exchange } from './exchange.ts'
import { UnreachableError } from './problem-error.ts'

export interface StreamOptions {
  readonly signal?: AbortSignal
  /** A connection on which nothing comes for so long is taken as broken; default 45 s, three of the broker's heartbeats. */
  readonly silenceMs?: number
}

const SILENCE_MS = 45 * SECOND_MS

export async function* streamEvents(
  exchange: Exchange,
  asked: Pick<Asked, 'path' | 'query'>,
  { signal, silenceMs = SILENCE_MS }: StreamOptions = {},
): AsyncGenerator<CloudEvent> {
  let last: number | null = null
  // Streams that ended before they told anything but where they begin: a quiet night is none of them.
  let failures = 0
  while (true) {
    const { body } = await exchange.openStream({
      ...asked,
      signal,
      ...(last === null ? {} : { lastEventId: `${last}` }),
    })
    let told = 0
    for await (const { id, event } of messages(body, silenceMs)) {
      told += 1
      if (told > 1 || event !== null) failures = 0
      if (last !== null && id <= last) continue
      last = id
      if (event !== null) yield event
    }
    signal?.throwIfAborted()
    failures += 1
    if (!(await exchange.pauseBetween(failures, signal)))
      throw new UnreachableError('The stream of events has ended again and again before anything came.')
  }
}

interface Message {
  readonly id: number
  /** Null where only the position is told. */
  readonly event: CloudEvent | null
}

/** Ends with the connection, however that ends. */
async function* messages(body: Response['body'], silenceMs: number): AsyncGenerator<Message> {
  if (body === null) return
  const ready: Message[] = []
  const parser = createParser({
    // Told once its block is whole: the id of an event in which the connection breaks is not.
    onId: (id) => void (/^\d{1,15}$/.test(id) && ready.push({ id: Number(id), event: null })),
    onEvent({ id, data }) {
      if (ready.at(-1)?.event === null) ready.pop() // its own id, told just before it
      const event = JSON.parse(data) as CloudEvent // as the broker validated it, like every other answer
      ready.push({ id: Number(id ?? event.sequence), event })
    },
  })
  for await (const text of texts(body, silenceMs)) {
    parser.feed(text)
    yield* ready.splice(0)
  }
}

async function* texts(body: NonNullable<Response['body']>, silenceMs: number): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    while (true) {
      const timer = setTimeout(() => void reader.cancel().catch(() => undefined), silenceMs)
      const { done, value } = await reader
        .read()
        // Cut off: an end like another.
        .catch(() => ({ done: true, value: undefined }) as const)
        .finally(() => clearTimeout(timer))
      if (done) return
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
