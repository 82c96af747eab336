// A sandbox for one test: a tenant of the server in the environment, with everything of its own.
import dns from 'node:dns'

// The names of Turris lead to the sandbox here, as they could in /etc/hosts. So the client is tested with the URLs
// that it has in production, over TLS.
const HOSTS = { sandbox: 'public.api.sandbox.turrisfi.com', production: 'public.api.live.turrisfi.com' }
const { lookup } = dns
dns.lookup = (name, ...rest) => lookup(Object.values(HOSTS).includes(name) ? '127.0.0.1' : name, ...rest)

const { TURRIS_BASE_URL, TURRIS_CONTROL_TOKEN } = process.env

async function control(method, path, body) {
  const answer = await fetch(`${TURRIS_BASE_URL}/__sandbox__${path}`, {
    method,
    headers: { Authorization: `Bearer ${TURRIS_CONTROL_TOKEN}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}

// It is removed when the test ends. `control` reaches what docs/reference/control-api.md lists.
export async function createSandbox(test, settings = {}) {
  const tenant = await control('POST', '/tenants', settings)
  const own = (method, path, body) => control(method, `/tenants/${tenant.name}${path}`, body)
  const records = []
  // Each request of the client needs its line in the log, without secrets and personal data.
  test.after(async () => {
    const { findings } = await own('POST', '/audit/log', { text: records.map((one) => JSON.stringify(one)).join('\n') })
    if (findings.length) throw new Error(JSON.stringify(findings))
  })
  test.after(() => control('DELETE', `/tenants/${tenant.name}`))
  const { port } = new URL(TURRIS_BASE_URL)
  let ahead = 0
  const move = async (milliseconds) => {
    ahead += milliseconds
    await own('POST', '/clock/advance', { by: `${milliseconds}ms` })
  }
  return {
    control: own,
    // What a client has in its environment, in the sandbox or in production.
    environment(name = 'sandbox', credentials = {}) {
      const { clientId = tenant.environment.TURRIS_CLIENT_ID, clientSecret = tenant.environment.TURRIS_CLIENT_SECRET } =
        credentials
      const base = { TURRIS_BASE_URL: `https://${HOSTS[name]}:${port}` }
      return { ...tenant.environment, ...base, TURRIS_CLIENT_ID: clientId, TURRIS_CLIENT_SECRET: clientSecret }
    },
    // The clock and the sleep of a client, which move that of the sandbox; and its log.
    parts: { now: () => Date.now() + ahead, sleep: move, log: (record) => records.push(record) },
    advance: (minutes) => move(minutes * 60_000),
    async requests(operation) {
      return (await own('GET', `/journal?operation=${operation}`)).items
    },
  }
}
