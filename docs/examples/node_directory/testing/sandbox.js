// A sandbox for one test: a tenant of the server in the environment, with everything of its own.
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
  test.after(() => control('DELETE', `/tenants/${tenant.name}`))
  const own = (method, path, body) => control(method, `/tenants/${tenant.name}${path}`, body)
  let ahead = 0
  return {
    environment: tenant.environment,
    control: own,
    now: () => Date.now() + ahead,
    async advance(minutes) {
      ahead += minutes * 60_000
      await own('POST', '/clock/advance', { by: `${minutes}m` })
    },
    async requests(operation) {
      return (await own('GET', `/journal?operation=${operation}`)).items
    },
  }
}
