import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { createReceiver } from '../src/receiver.js'
import { createSandbox } from '../testing/sandbox.js'

const EVENT = 'PRODUCER_AGREEMENT_EXECUTED'

async function listening(test, sandbox, act) {
  const { TURRIS_WEBHOOK_SECRET: key, TURRIS_UPSTREAM_ENTITY_ID: upstreamEntityId } = sandbox.environment()
  const server = createReceiver({ key, upstreamEntityId, act }).listen(0, '127.0.0.1')
  test.after(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}/webhooks`
  return sandbox.control('POST', '/webhooks', { url, event: EVENT })
}

async function states(sandbox) {
  return (await sandbox.control('GET', '/deliveries')).items.map(({ state }) => state)
}

describe('the receiver', { concurrency: true }, () => {
  it('acts once on a webhook that comes twice', async (test) => {
    const sandbox = await createSandbox(test)
    const acted = []
    await listening(test, sandbox, (event) => acted.push(event))
    const agency = await sandbox.control('POST', '/associations', {})
    await sandbox.control('POST', `/associations/${agency._id}/execute-agreement`, {})
    await sandbox.control('POST', '/webhooks/drain', {})
    assert.deepEqual(await states(sandbox), ['delivered'])
    await sandbox.control('POST', '/deliveries/1/resend', {})
    assert.deepEqual(acted.map(({ webhookType }) => webhookType), [EVENT])
  })

  it('asks for another attempt if it could not act', async (test) => {
    const sandbox = await createSandbox(test)
    let calls = 0
    await listening(test, sandbox, () => {
      calls += 1
      if (calls === 1) throw new Error('the database is away')
    })
    const agency = await sandbox.control('POST', '/associations', {})
    await sandbox.control('POST', `/associations/${agency._id}/execute-agreement`, {})
    await sandbox.control('POST', '/webhooks/drain', {})
    assert.deepEqual(await states(sandbox), ['failed'])
    await sandbox.control('POST', '/deliveries/1/resend', {})
    assert.equal(calls, 2)
  })

  for (const attack of ['WH-02', 'WH-05', 'WH-28', 'WH-50', 'WH-53', 'WH-84']) {
    it(`withstands ${attack}`, async (test) => {
      const sandbox = await createSandbox(test)
      const acted = []
      const webhook = await listening(test, sandbox, (event) => acted.push(event))
      // The sandbox looks here whether the receiver acted on what it answered.
      const effects = createServer((_request, response) => response.end(String(acted.length))).listen(0, '127.0.0.1')
      test.after(() => effects.close())
      await once(effects, 'listening')
      const effectsUrl = `http://127.0.0.1:${effects.address().port}/`
      const verdict = await sandbox.control('POST', `/webhooks/${webhook.id}/attack`, { attack, effectsUrl })
      assert.deepEqual([verdict.outcome, verdict.findings], ['passed', []], verdict.reason)
    })
  }
})
