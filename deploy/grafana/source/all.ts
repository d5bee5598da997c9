/** The dashboards and their files. */
import { fileURLToPath } from 'node:url'
import { API } from './api.ts'
import { type Dashboard, dashboardJson } from './dashboard.ts'
import { FLEET } from './fleet.ts'
import { PLACEMENT } from './placement.ts'
import { PROVIDERS } from './providers.ts'

export const DASHBOARDS: readonly Dashboard[] = [FLEET, PROVIDERS, API, PLACEMENT]

/** Each with what it is to hold. */
export const dashboardFiles = (): readonly { readonly file: string; readonly text: string }[] =>
  DASHBOARDS.map((dashboard) => ({
    file: fileURLToPath(new URL(`../dashboards/${dashboard.name}.json`, import.meta.url)),
    text: `${JSON.stringify(dashboardJson(dashboard), null, 2)}\n`,
  }))
