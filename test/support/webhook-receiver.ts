/** An endpoint on loopback that is sent events: it notes each request as it came, and answers as it is told. */
import { type IncomingHttpHeaders, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { CloudEvent } from '../../shared/event.ts'
import { SECOND_MS } from '../../shared/time.ts'

export interface ReceivedEvent {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: CloudEvent
}

export interface WebhookReceiver {
  readonly url: string
  readonly received: readonly ReceivedEvent[]
  /** Of every answer from now on; null leaves requests without one. Default 204. */
  answer(status: number | null, headers?: Readonly<Record<string, string>>): void
  close(): Promise<void>
}

export async function startReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedEvent[] = []
  let answer: { status: number | null; headers: Readonly<Record<string, string>> } = { status: 204, headers: {} }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      received.push({ headers: request.headers, body, event: CloudEvent.parse(JSON.parse(body)) })
      if (answer.status !== null) response.writeHead(answer.status, answer.headers).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answer: (status, headers = {}) => void (answer = { status, headers }),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Whether a delivery carries the signature of this secret, whatever the clock says; by the specification's own library. */
export const isSignedWith = (secret: string, { headers, body }: ReceivedEvent): boolean => {
  const at = new Date(Number(headers['webhook-timestamp']) * SECOND_MS)
  return String(headers['webhook-signature'])
    .split(' ')
    .includes(new Webhook(secret).sign(String(headers['webhook-id']), at, body))
}

/** By the specification's own library. @throws when the signature, or its time, is not good */
export const verify = (secret: string, { headers, body }: ReceivedEvent): unknown =>
  new Webhook(secret).verify(body, headers as Record<string, string>) // each of the three comes once
