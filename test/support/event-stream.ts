/** A reader of the broker's server-sent events, with a parser that is not ours. */
import { createParser } from 'eventsource-parser'
import { CloudEvent } from '../../shared/event.ts'

export interface TestStream {
  /** What has come so far, each held to its schema; `id` and `event` of the frame agree with it. */
  readonly events: readonly CloudEvent[]
  /** Resolves when the stream has ended, whoever ended it. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

export interface StreamOptions {
  readonly url: string
  readonly token: string
  readonly query?: string
  readonly lastEventId?: number | undefined
}

/** @throws Error when the answer is no stream */
export async function openTestStream({ url, token, query = '', lastEventId }: StreamOptions): Promise<TestStream> {
  const stopping = new AbortController()
  const response = await fetch(`${url}/v1/events?${query}`, {
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }),
    },
    signal: stopping.signal,
  })
  if (response.headers.get('content-type') !== 'text/event-stream') {
    throw new Error(`the answer is no stream: ${response.status} ${await response.text()}`)
  }
  const events: CloudEvent[] = []
  const parser = createParser({
    onEvent({ id, event, data }) {
      const parsed = CloudEvent.parse(JSON.parse(data))
      if (String(parsed.sequence) !== id || parsed.type !== event) throw new Error(`the frame ${id} lies: ${data}`)
      events.push(parsed)
    },
    onError(error) {
      throw error
    },
  })
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }))
  }
  const ended = read().catch((error: unknown) => {
    // A connection that is cut, by us or by the broker, is an end like another; what a frame gets wrong is not.
    if (!stopping.signal.aborted && !(error instanceof TypeError)) throw error
  })
  return {
    events,
    ended,
    async close() {
      stopping.abort()
      await ended
    },
  }
}
