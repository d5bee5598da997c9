/**
 * The script that places an allocation's SSH keys on a node at boot. It may run at every boot: a key that is there is not
 * added again. Pure.
 */

/** A here-document with a quoted end takes the lines as they are; no key holds a line of this. */
const END_OF_KEYS = 'GPU_BROKER_KEYS_END'

/**
 * Keys that could break out of the script, or that are no single line.
 *
 * @returns which (counted from 1), or null when all can be placed
 */
export function unplaceableKey(keys: readonly string[]): number | null {
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be in a line of authorized_keys
  const index = keys.findIndex((key) => /[\u0000-\u001f\u007f]/.test(key) || key.trim() === '' || key === END_OF_KEYS)
  return index === -1 ? null : index + 1
}

/** @param loginUser a plain user name; root stands in where the image has no such user */
export const bootScript = (keys: readonly string[], loginUser: string): string => `#!/bin/sh
set -eu
user='${loginUser}'
id "$user" >/dev/null 2>&1 || user=root
home=$(getent passwd "$user" | cut -d: -f6)
install -d -m 700 -o "$user" -g "$(id -gn "$user")" "$home/.ssh"
keys="$home/.ssh/authorized_keys"
touch "$keys"
[ -z "$(tail -c 1 "$keys")" ] || echo >>"$keys"
while IFS= read -r key; do
  grep -qxF -e "$key" "$keys" || printf '%s\\n' "$key" >>"$keys"
done <<'${END_OF_KEYS}'
${keys.join('\n')}
${END_OF_KEYS}
chown "$user:$(id -gn "$user")" "$keys"
chmod 600 "$keys"
`
