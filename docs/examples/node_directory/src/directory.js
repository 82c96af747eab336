// A carrier's agencies and agents, read from Turris.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const MINUTE = 60_000
const TOKEN_REPLACED_AFTER = 55 * MINUTE // a token lives for an hour; Turris recommends a buffer of 5 minutes
const REQUEST_TIMEOUT = 10_000
const ATTEMPTS = 3
const LONGEST_PAUSE = MINUTE // a window of the rate limit

export class TurrisError extends Error {
  constructor(status, messages, requestId) {
    super(`${status}: ${messages.join('; ')} (request ${requestId})`)
    this.status = status
  }
}

export class Directory {
  #settings
  #now
  #token // a promise, so that concurrent calls share one request
  #tokenFrom = 0

  // The clock is a parameter, so that a test can move it together with the sandbox's.
  constructor({ baseUrl, clientId, clientSecret }, now = Date.now) {
    this.#settings = { baseUrl, clientId, clientSecret }
    this.#now = now
  }

  static fromEnvironment(environment = process.env, now = Date.now) {
    const settings = {
      baseUrl: environment.TURRIS_BASE_URL,
      clientId: environment.TURRIS_CLIENT_ID,
      clientSecret: environment.TURRIS_CLIENT_SECRET,
    }
    const missing = Object.keys(settings).filter((name) => !settings[name])
    if (missing.length) throw new Error(`not in the environment: ${missing.join(', ')}`)
    return new Directory(settings, now)
  }

  agents() {
    return this.#call('GET', '/v1/agents')
  }

  agencies() {
    return this.#call('GET', '/v1/downstream-entity-associations')
  }

  // Repeated with the same key, Turris answers what it answered the first time, and invites once.
  invite(agency, idempotencyKey = randomUUID()) {
    return this.#call('POST', '/v1/downstream-entity-associations/invite', agency, idempotencyKey)
  }

  async #call(method, path, body, idempotencyKey) {
    let renewed = false
    for (let attempt = 1; ; attempt += 1) {
      const token = await this.#currentToken()
      const headers = { Authorization: `Bearer ${token}` }
      if (idempotencyKey) headers['idempotency-key'] = idempotencyKey
      const answer = await this.#send(method, path, headers, body).catch((error) => error)
      if (answer.status === 401 && !renewed) {
        renewed = true
        await this.#forget(token)
        continue
      }
      // A call with the status 429 did nothing. After any other failure that is not known, so only
      // reads and calls with a key are repeated.
      const isTransient = answer instanceof Error || answer.status >= 500
      const mayRepeat = answer.status === 429 || (isTransient && (method === 'GET' || idempotencyKey))
      if (mayRepeat && attempt < ATTEMPTS) {
        await sleep(pause(answer, attempt))
        continue
      }
      if (answer instanceof Error) throw answer
      return dataOf(answer)
    }
  }

  async #currentToken() {
    if (this.#token && this.#now() - this.#tokenFrom >= TOKEN_REPLACED_AFTER) this.#token = undefined
    if (!this.#token) {
      this.#tokenFrom = this.#now()
      const requested = this.#requestToken()
      this.#token = requested
      requested.catch(() => {
        if (this.#token === requested) this.#token = undefined
      })
    }
    return this.#token
  }

  async #requestToken() {
    const { clientId, clientSecret } = this.#settings
    const answer = await this.#send('POST', '/v1/auth/jwt', {}, { clientId, clientSecret })
    return dataOf(answer).accessToken
  }

  // Another call may have replaced it meanwhile.
  async #forget(token) {
    if ((await this.#token?.catch(() => undefined)) === token) this.#token = undefined
  }

  async #send(method, path, headers, body) {
    const answer = await fetch(new URL(path, this.#settings.baseUrl), {
      method,
      headers: body ? { ...headers, 'Content-Type': 'application/json' } : headers,
      body: body && JSON.stringify(body),
      redirect: 'error', // Turris does not redirect: this would show the token to another host
      signal: AbortSignal.timeout(REQUEST_TIMEOUT),
    })
    const document = await answer.json().catch(() => ({}))
    return { status: answer.status, headers: answer.headers, document }
  }
}

function dataOf({ status, document }) {
  if (status >= 200 && status < 300 && document.data !== undefined) return document.data
  throw new TurrisError(status, [document.errorMessage ?? 'not an answer of Turris'].flat(), document.requestId)
}

function pause(answer, attempt) {
  const seconds = Number(answer.headers?.get('retry-after'))
  const wanted = seconds > 0 ? seconds * 1000 : 500 * 2 ** (attempt - 1)
  return Math.min(wanted, LONGEST_PAUSE)
}
