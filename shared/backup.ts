/**
 * The file that `gpu-broker backup` writes, the same from either store: gzip of lines. The first is the header, then each
 * table with its columns and its rows, all values as PostgreSQL writes them as text, and at last what it should have been.
 */
import { z } from 'zod'

export const BACKUP_FORMAT = 'gpu-broker-backup'

export const BackupHeader = z.object({
  format: z.literal(BACKUP_FORMAT),
  formatVersion: z.literal(1),
  createdAt: z.iso.datetime(),
  engine: z.enum(['postgres', 'pglite']),
  /** Whose nodes at the operators these rows are about. */
  installationId: z.string(),
  /** That had run there, in order: rows fit exactly these. */
  migrations: z.array(z.string()),
})
export type BackupHeader = Readonly<z.infer<typeof BackupHeader>>

export const BackupTable = z.object({ table: z.string(), columns: z.array(z.string()).min(1) })
export type BackupTable = Readonly<z.infer<typeof BackupTable>>

/** The last line; without it the file is not whole. */
export const BackupEnd = z.object({
  end: z.literal(BACKUP_FORMAT),
  /** Table → rows. */
  rows: z.record(z.string(), z.number().int().min(0)),
  /** Of all lines before this one, with their line breaks. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type BackupEnd = Readonly<z.infer<typeof BackupEnd>>

export interface BackupSummary extends Omit<BackupHeader, 'format' | 'formatVersion'>, Omit<BackupEnd, 'end'> {}

/** The file, or what it is to be put into, is not what it should be; the sentence says how. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}
