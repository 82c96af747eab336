import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Directory, TurrisError } from '../src/directory.js'
import { createSandbox } from '../testing/sandbox.js'

const AGENCY = {
  useInviteUrl: false,
  isNpnRequired: false,
  downstreamEntityName: 'ABC Insurance Agency',
  firstName: 'John',
  lastName: 'Doe',
  email: 'john.doe@example.com',
  category: 'agency',
}

// The tests run at the same time. Each has a sandbox of its own: what one does, no other sees.
describe('the directory', { concurrency: true }, () => {
  it('lists agents, and uses one token for concurrent calls', async (test) => {
    const sandbox = await createSandbox(test, { data: 'small_agency' })
    const directory = Directory.fromEnvironment(sandbox.environment(), sandbox.parts)
    const lists = await Promise.all([directory.agents(), directory.agents(), directory.agencies()])
    assert.equal(lists[0].length, 3)
    assert.deepEqual(lists[0], lists[1])
    assert.equal((await sandbox.requests('get_oauth_token')).length, 1)
  })

  it('replaces its token before it expires', async (test) => {
    const sandbox = await createSandbox(test)
    const directory = Directory.fromEnvironment(sandbox.environment(), sandbox.parts)
    assert.deepEqual(await directory.agents(), [])
    await sandbox.advance(54)
    await directory.agents()
    assert.equal((await sandbox.requests('get_oauth_token')).length, 1)
    await sandbox.advance(2)
    await directory.agents()
    assert.equal((await sandbox.requests('get_oauth_token')).length, 2)
    assert.ok((await sandbox.requests('list_agents')).every(({ status }) => status === 200))
  })

  it('requests a new token once after a 401', async (test) => {
    const sandbox = await createSandbox(test)
    const directory = Directory.fromEnvironment(sandbox.environment(), sandbox.parts)
    await directory.agents()
    await sandbox.control('POST', '/tokens/revoke-all', {})
    await directory.agents()
    assert.deepEqual((await sandbox.requests('list_agents')).map(({ status }) => status), [200, 401, 200])
    assert.equal((await sandbox.requests('get_oauth_token')).length, 2)
  })

  it('invites an agency once, although the first answer is lost', async (test) => {
    const sandbox = await createSandbox(test)
    const directory = Directory.fromEnvironment(sandbox.environment(), sandbox.parts)
    await sandbox.control('POST', '/faults', { operation: 'invite', error: 'reset', processed: true })
    await directory.invite(AGENCY)
    assert.equal((await sandbox.requests('invite')).length, 2)
    assert.equal((await directory.agencies()).length, 1)
  })

  it('does not repeat what Turris refuses', async (test) => {
    const sandbox = await createSandbox(test)
    const directory = Directory.fromEnvironment(sandbox.environment(), sandbox.parts)
    await assert.rejects(directory.invite({ ...AGENCY, email: 'no address' }), (error) => {
      assert.ok(error instanceof TurrisError)
      assert.match(error.message, /^400: email must be an email/)
      return true
    })
    assert.equal((await sandbox.requests('invite')).length, 1)
  })

  it('uses each environment with its own credentials', async (test) => {
    const sandbox = await createSandbox(test)
    const live = await sandbox.control('POST', '/credentials', { environment: 'production' })
    for (const environment of [sandbox.environment(), sandbox.environment('production', live)]) {
      assert.deepEqual(await Directory.fromEnvironment(environment, sandbox.parts).agents(), [])
    }
  })

  it('calls Turris over HTTPS only', async (test) => {
    const sandbox = await createSandbox(test)
    const environment = sandbox.environment()
    environment.TURRIS_BASE_URL = environment.TURRIS_BASE_URL.replace('https:', 'http:')
    assert.throws(() => Directory.fromEnvironment(environment, sandbox.parts), /over HTTPS only/)
  })

  it('picks up a rotated secret', async (test) => {
    const sandbox = await createSandbox(test)
    const environment = sandbox.environment()
    const directory = Directory.fromEnvironment(environment, sandbox.parts)
    await directory.agents()
    const { clientSecret } = await sandbox.control('POST', '/audit/drill', { drill: 'rotation' })
    environment.TURRIS_CLIENT_SECRET = clientSecret
    const failed = await directory.agents().then(() => false, () => true)
    const verdict = await sandbox.control('POST', '/audit/drill/end', { failed })
    assert.equal(verdict.outcome, 'passed', JSON.stringify(verdict))
  })

  it('stops when its credentials are revoked', async (test) => {
    const sandbox = await createSandbox(test)
    const directory = Directory.fromEnvironment(sandbox.environment(), sandbox.parts)
    await directory.agents()
    await sandbox.control('POST', '/audit/drill', { drill: 'revocation' })
    const failed = await directory.agents().then(() => false, () => true)
    const verdict = await sandbox.control('POST', '/audit/drill/end', { failed })
    assert.equal(verdict.outcome, 'passed', JSON.stringify(verdict))
  })

  it('spreads its writes over the minutes', async (test) => {
    const sandbox = await createSandbox(test)
    const directory = Directory.fromEnvironment(sandbox.environment(), sandbox.parts)
    await directory.agencies()
    await sandbox.control('POST', '/audit/drill', { drill: 'rate' })
    for (let number = 1; number <= 65; number += 1) {
      await directory.invite({ ...AGENCY, email: `john.doe+${number}@example.com` })
    }
    const verdict = await sandbox.control('POST', '/audit/drill/end')
    assert.equal(verdict.outcome, 'passed', JSON.stringify(verdict))
  })
})
