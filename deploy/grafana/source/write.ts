/** `npm run dashboards`: writes deploy/grafana/dashboards from what they are described as. */
import { writeFileSync } from 'node:fs'
import { dashboardFiles } from './all.ts'

for (const { file, text } of dashboardFiles()) writeFileSync(file, text)
