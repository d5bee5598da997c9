/**
 * How SSH keys reach a node: as cloud-config, which cloud-init carries out on the first boot, adding the keys to the
 * login user that the image itself names. Written as JSON, which is YAML too, so that no key can break out of its quotes.
 */
import { ProviderError } from '../../shared/provider-error.ts'

/**
 * @returns base64, or null when there are no keys: then there is no script at all
 * @throws ProviderError `refused` when it is longer than the operator takes
 */
export function userDataOf(sshPublicKeys: readonly string[], maxBytes: number): string | null {
  if (sshPublicKeys.length === 0) return null
  const script = Buffer.from(`#cloud-config\n${JSON.stringify({ ssh_authorized_keys: sshPublicKeys })}\n`)
  if (script.length > maxBytes) {
    const message = `the boot script with ${sshPublicKeys.length} keys has ${script.length} bytes, at most ${maxBytes} are taken`
    throw new ProviderError('refused', message, { effect: 'none', code: 'USER_DATA_TOO_LONG' })
  }
  return script.toString('base64')
}
