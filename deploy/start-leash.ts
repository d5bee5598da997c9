/**
 * Loaded before a child's own program: stops it when the process that started it is gone, however that ended. The child's
 * standard input is a pipe that nobody writes to, and the system closes it with its owner.
 */
process.stdin.on('error', () => {})
process.stdin.once('close', () => process.kill(process.pid, 'SIGTERM'))
process.stdin.resume()
// A pipe is a socket here; it must not keep a child alive that has nothing else to do.
if ('unref' in process.stdin) process.stdin.unref()
