// Hono on Node, with its body limit middleware and Web Crypto.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';

const encoder = new TextEncoder();
const key = await crypto.subtle.importKey(
  'raw',
  encoder.encode(process.env.TURRIS_WEBHOOK_SECRET),
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['verify'],
);

const app = new Hono();

app.post('/webhooks/turris', bodyLimit({ maxSize: 500 * 1024 }), async (c) => {
  const body = new Uint8Array(await c.req.arrayBuffer());
  const header = c.req.header('x-turris-signature') ?? '';
  if (!/^[0-9a-f]{64}$/.test(header)) throw new HTTPException(401, { message: 'no signature' });
  // subtle.verify compares in constant time.
  const valid = await crypto.subtle.verify('HMAC', key, Buffer.from(header, 'hex'), body);
  if (!valid) throw new HTTPException(401, { message: 'invalid signature' });
  let event;
  try {
    event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new HTTPException(400, { message: 'malformed JSON' });
  }
  if (typeof event?.webhookType !== 'string' || typeof event.payload !== 'object') {
    throw new HTTPException(400, { message: 'not an event' });
  }
  if (event.upstreamEntityId !== process.env.TURRIS_UPSTREAM_ENTITY_ID) {
    throw new HTTPException(403, { message: 'unknown entity' });
  }
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', body)).toString('hex');
  try {
    await writeFile(path.join(process.env.INBOX_DIR, digest), JSON.stringify(event), { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  return c.json({ received: true }, 202);
});

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: '127.0.0.1' });
