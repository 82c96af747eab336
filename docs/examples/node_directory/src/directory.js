// A carrier's agencies and agents, read from Turris.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'

const MINUTE = 60_000
const TOKEN_REPLACED_AFTER = 55 * MINUTE // a token lives for an hour; Turris recommends a buffer of 5 minutes
const REQUEST_TIMEOUT = 10_000
const ATTEMPTS = 3
const LONGEST_PAUSE = MINUTE // a window of the rate limit
const WRITES_PER_MINUTE = 60
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'] // a sandbox on this machine

export class TurrisError extends Error {
  constructor(status, messages, requestId) {
    super(`${status}: ${messages.join('; ')} (request ${requestId})`)
    this.status = status
  }
}

export class Directory {
  #baseUrl
  #credentials
  #now
  #sleep
  #log
  #token // a promise, so that concurrent calls share one request
  #tokenFrom = 0
  #writes = [] // the last ones, each with when its answer came

  // The clock and the sleep are parameters, so that a test can move them together with the sandbox's. `log` gets an
  // object for each request, which has no secret and no data of people.
  constructor({ baseUrl, credentials }, { now = Date.now, sleep = wait, log = () => {} } = {}) {
    const url = new URL(baseUrl)
    if (url.protocol !== 'https:' && !LOOPBACK.includes(url.hostname)) throw new Error('Turris is called over HTTPS only')
    this.#baseUrl = url
    this.#credentials = credentials
    this.#now = now
    this.#sleep = sleep
    this.#log = log
  }

  // The credentials are read whenever a token is requested, so a secret that was rotated is picked up.
  static fromEnvironment(environment = process.env, parts = {}) {
    const names = ['TURRIS_BASE_URL', 'TURRIS_CLIENT_ID', 'TURRIS_CLIENT_SECRET']
    const missing = names.filter((name) => !environment[name])
    if (missing.length) throw new Error(`not in the environment: ${missing.join(', ')}`)
    const credentials = () => ({
      clientId: environment.TURRIS_CLIENT_ID,
      clientSecret: environment.TURRIS_CLIENT_SECRET,
    })
    return new Directory({ baseUrl: environment.TURRIS_BASE_URL, credentials }, parts)
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
      const ended = method === 'GET' ? undefined : await this.#turnToWrite()
      const answer = await this.#send(method, path, headers, body).catch((error) => error)
      ended?.()
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
        await this.#sleep(pause(answer, attempt))
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
    const answer = await this.#send('POST', '/v1/auth/jwt', {}, this.#credentials())
    return dataOf(answer).accessToken
  }

  // Another call may have replaced it meanwhile.
  async #forget(token) {
    if ((await this.#token?.catch(() => undefined)) === token) this.#token = undefined
  }

  // Waits until a minute has passed since the answer to the 60th write before this one: when exactly Turris counted
  // that is not known, but it was no later. Returns what notes the time of this one's answer.
  async #turnToWrite() {
    for (;;) {
      const before = this.#writes.at(-WRITES_PER_MINUTE) ?? { at: -Infinity }
      const early = before.at + MINUTE + 1 - this.#now()
      if (early <= 0) break
      await this.#sleep(early)
    }
    const write = { at: this.#now() }
    this.#writes = [...this.#writes.slice(1 - WRITES_PER_MINUTE), write]
    return () => {
      write.at = this.#now()
    }
  }

  async #send(method, path, headers, body) {
    let answer
    let document = {}
    try {
      answer = await fetch(new URL(path, this.#baseUrl), {
        method,
        headers: body ? { ...headers, 'Content-Type': 'application/json' } : headers,
        body: body && JSON.stringify(body),
        redirect: 'error', // Turris does not redirect: this would show the token to another host
        signal: AbortSignal.timeout(REQUEST_TIMEOUT),
      })
      document = await answer.json().catch(() => ({}))
      return { status: answer.status, headers: answer.headers, document }
    } finally {
      this.#log({ method, path, status: answer?.status ?? 'no answer', requestId: document?.requestId })
    }
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
