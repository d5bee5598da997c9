/**
 * `/docs`: the OpenAPI document as pages, from the swagger-ui package on our own disk. Nothing is fetched from elsewhere:
 * the content security policy would not let it.
 */
import { fileURLToPath } from 'node:url'
import { type RequestHandler, Router } from 'express'
import { onlyGet } from './only-get.ts'
import { SUCCESS_STATUS } from './problem.ts'
import { send } from './send.ts'

/** Swagger UI sets styles on elements and draws its icons from data: URLs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>GPU broker: API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`

/** Without the null, the page would ask swagger.io to validate our document. */
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', validatorUrl: null, deepLinking: true })\n`

const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const

export function createDocs(): Router {
  const router = Router()
  router.use(onlyGet)
  router.use((_request, response, next) => {
    response.setHeader('Content-Security-Policy', POLICY)
    next()
  })
  router.get('/', text('text/html; charset=utf-8', PAGE))
  router.get('/start.js', text('text/javascript; charset=utf-8', START))
  for (const file of FILES) {
    const path = fileURLToPath(import.meta.resolve(`swagger-ui-dist/${file}`))
    router.get(`/${file}`, (_request, response) => response.sendFile(path))
  }
  return router
}

const text =
  (type: string, content: string): RequestHandler =>
  (_request, response) =>
    send(response, { status: SUCCESS_STATUS.ok, type, text: content })
