import { Directory } from './directory.js'
import { createReceiver } from './receiver.js'

// The audit log: a line of JSON for each request. JSON escapes control characters, so no text can forge a line.
const log = (record) => console.error(JSON.stringify({ at: new Date().toISOString(), ...record }))
const directory = Directory.fromEnvironment(process.env, { log })
for (const { agent } of await directory.agents()) console.log(agent.npn, agent.firstName, agent.lastName)

const { TURRIS_WEBHOOK_SECRET: key, TURRIS_UPSTREAM_ENTITY_ID: upstreamEntityId, PORT = 3000 } = process.env
const app = createReceiver({ key, upstreamEntityId, act: (event) => console.log(event.webhookType) })
app.listen(PORT, '127.0.0.1', () => console.log(`webhooks: http://127.0.0.1:${PORT}/webhooks`))
