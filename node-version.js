// Loaded before anything else, in plain JavaScript, because an older Node cannot even read the sources: it says in one
// line what is missing. npm scripts find the Node of `node_modules/.bin` first, whatever the machine's own one is.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 24 || (major === 24 && minor < 11)) {
  process.stderr.write(
    `gpu-broker needs Node 24.11 or later and found ${process.versions.node}: ` +
      '`npm ci` brings one on x64 Linux; elsewhere, install it.\n',
  )
  process.exit(1)
}
