/**
 * A promise that is rejected and that nobody awaits fails the test that runs: mocha itself passes such a rejection on to
 * whoever listens, and without anybody it is lost. Loaded before the tests by `.mocharc.json` and by the runner.
 */
process.on('unhandledRejection', (reason) => {
  throw reason instanceof Error ? reason : new Error('a promise was rejected with no error', { cause: reason })
})
