import { Directory } from './directory.js'
import { createReceiver } from './receiver.js'

const directory = Directory.fromEnvironment()
for (const { agent } of await directory.agents()) console.log(agent.npn, agent.firstName, agent.lastName)

const { TURRIS_WEBHOOK_SECRET: key, TURRIS_UPSTREAM_ENTITY_ID: upstreamEntityId, PORT = 3000 } = process.env
const app = createReceiver({ key, upstreamEntityId, act: (event) => console.log(event.webhookType) })
app.listen(PORT, '127.0.0.1', () => console.log(`webhooks: http://127.0.0.1:${PORT}/webhooks`))
