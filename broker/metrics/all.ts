/** Every metric that the broker has. */
import { API } from './api.ts'
import { DECIDING } from './deciding.ts'
import { EVENTS } from './events.ts'
import { FLEET } from './fleet.ts'
import { INSIDE } from './inside.ts'
import { PROVIDERS } from './providers.ts'
import { WAITING } from './waiting.ts'

export const DEFINITIONS = { ...API, ...DECIDING, ...WAITING, ...FLEET, ...PROVIDERS, ...EVENTS, ...INSIDE }
