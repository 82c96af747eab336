// Koa with raw-body and a router; errors are ctx.throw.
const crypto = require('node:crypto');
const Koa = require('koa');
const { Router } = require('@koa/router');
const getRawBody = require('raw-body');
const { Database } = require('node-sqlite3-wasm');

const db = new Database(process.env.DATABASE_PATH);
db.run('CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT NOT NULL)');

const app = new Koa();
const router = new Router();
app.silent = true;

router.post('/webhooks/turris', async (ctx) => {
  const body = await getRawBody(ctx.req, { length: ctx.request.length, limit: '1mb' });
  const wanted = crypto.createHmac('sha256', process.env.TURRIS_WEBHOOK_SECRET).update(body).digest();
  const given = Buffer.from(ctx.get('X-Turris-Signature'), 'hex');
  if (given.length !== wanted.length || !crypto.timingSafeEqual(given, wanted)) ctx.throw(401);
  let event;
  try {
    event = JSON.parse(body.toString('utf8'));
  } catch {
    ctx.throw(400, 'malformed JSON');
  }
  ctx.assert(event && typeof event.webhookType === 'string', 400, 'not an event');
  ctx.assert(event.upstreamEntityId === process.env.TURRIS_UPSTREAM_ENTITY_ID, 403, 'unknown entity');
  const id = crypto.createHash('sha256').update(body).digest('hex');
  db.run('INSERT INTO events VALUES (?, ?) ON CONFLICT (id) DO NOTHING', [id, event.webhookType]);
  ctx.status = 204;
});

app.use(router.routes()).use(router.allowedMethods());
app.listen(Number(process.env.PORT), '127.0.0.1');
