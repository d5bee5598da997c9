/**
 * For a program that has to be told its port before it starts. Whoever asks the system for any port, or connects to
 * somebody, gets one of those that Linux, macOS and Windows keep for that, and may well get it while such a program is
 * still starting; so what is found here lies below all of those, drawn at random from many.
 */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const FIRST = 12_000
const END = 32_000

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const isListening = await new Promise<boolean>((resolve, reject) => {
    server
      .once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
      .listen(port, '127.0.0.1', () => resolve(true))
  })
  if (isListening) await new Promise((resolve) => server.close(resolve))
  return isListening
}
