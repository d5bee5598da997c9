/**
 * nock, once any file of a run imports it, stands between all files and the network, and even what it lets through comes
 * out differently (cut connections, kept sockets). Tests over real sockets switch it off while they run.
 */
import nock from 'nock'

/** @returns puts nock back where it stood */
export function leaveNockOut(): () => void {
  const wasActive = nock.isActive()
  nock.restore()
  return () => {
    if (wasActive && !nock.isActive()) nock.activate()
  }
}
