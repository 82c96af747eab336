// Fastify with a content type parser that keeps the buffer, and a JSON schema for the event.
import crypto from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import Fastify from 'fastify';

const app = Fastify({ bodyLimit: 262144, logger: false });

app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
  done(null, body);
});

const validate = (event) =>
  event !== null &&
  typeof event === 'object' &&
  typeof event.webhookType === 'string' &&
  typeof event.upstreamEntityId === 'string' &&
  typeof event.payload === 'object';

async function createOnce(name, text) {
  let file;
  try {
    file = await open(path.join(process.env.INBOX_DIR, name), 'wx');
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  return true;
}

app.post('/webhooks/turris', async (request, reply) => {
  const body = request.body ?? Buffer.alloc(0);
  const wanted = crypto.createHmac('sha256', process.env.TURRIS_WEBHOOK_SECRET).update(body).digest('hex');
  const given = request.headers['x-turris-signature'];
  const ok =
    typeof given === 'string' &&
    Buffer.byteLength(given) === wanted.length &&
    crypto.timingSafeEqual(Buffer.from(given), Buffer.from(wanted));
  if (!ok) return reply.code(401).send({ message: 'invalid signature' });
  let event;
  try {
    event = JSON.parse(body.toString());
  } catch {
    return reply.code(400).send({ message: 'malformed JSON' });
  }
  if (!validate(event)) return reply.code(422).send({ message: 'not an event' });
  if (event.upstreamEntityId !== process.env.TURRIS_UPSTREAM_ENTITY_ID) {
    return reply.code(403).send({ message: 'unknown entity' });
  }
  const id = crypto.createHash('sha256').update(body).digest('hex');
  const isNew = await createOnce(id, JSON.stringify(event));
  return reply.code(isNew ? 201 : 200).send({ id });
});

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
