// Receives Turris' webhooks: verify the raw bytes, then parse them.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import express from 'express'

const SHORTEST_KEY = 24

// `act` is called once for each webhook of this entity.
export function createReceiver({ key, upstreamEntityId, act }) {
  if (!key || key.length < SHORTEST_KEY) throw new Error('the key of the webhook is missing or too short')
  const seen = new Set()
  const app = express()
  app.disable('x-powered-by')

  app.post('/webhooks', express.raw({ type: () => true, limit: '1mb', inflate: false }), async (request, response) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    if (!isSigned(request, body, key)) return response.sendStatus(401)
    let event
    try {
      event = JSON.parse(body.toString('utf8'))
    } catch {
      return response.sendStatus(400)
    }
    const digest = createHash('sha256').update(body).digest('hex')
    if (event?.upstreamEntityId === upstreamEntityId && !seen.has(digest)) {
      seen.add(digest)
      try {
        await act(event)
      } catch {
        seen.delete(digest) // so that it can be sent again
        return response.sendStatus(503)
      }
    }
    response.sendStatus(204)
  })
  app.use((_request, response) => response.sendStatus(404))
  // Express' own answer would show a stack trace.
  app.use((error, _request, response, _next) => response.sendStatus(error.status ?? 500))
  return app
}

function isSigned(request, body, key) {
  const lines = request.headersDistinct['x-turris-signature'] ?? []
  if (lines.length !== 1) return false
  const given = Buffer.from(lines[0], 'latin1')
  const expected = Buffer.from(createHmac('sha256', key).update(body).digest('hex'))
  return given.length === expected.length && timingSafeEqual(given, expected)
}
