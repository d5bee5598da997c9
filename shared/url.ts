/** Which addresses secrets may be sent to: https anywhere, plain http only where it never leaves the machine. */
import { z } from 'zod'

/** Of a parsed URL, whose IPv4 address has four parts by then; `127.example.org` is somebody's name. */
export const isLoopback = (url: URL): boolean =>
  url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname)

const isSafe = (url: URL): boolean => url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))

export const SafeUrl = z.string().refine((text) => {
  const url = URL.parse(text)
  return url !== null && isSafe(url)
}, 'must be an https URL (http only on loopback)')
