// Express 5: express.raw on this route only, so that the signature is over the raw body.
const crypto = require('node:crypto');
const express = require('express');
const { Database } = require('node-sqlite3-wasm');

const db = new Database(process.env.DATABASE_PATH);
db.run('CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT NOT NULL, payload TEXT)');

const app = express();
app.disable('x-powered-by');

function verify(req, res, next) {
  const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  const expected = crypto
    .createHmac('sha256', process.env.TURRIS_WEBHOOK_SECRET)
    .update(body)
    .digest();
  const header = req.get('X-Turris-Signature') || '';
  const given = /^[0-9a-f]{64}$/.test(header) ? Buffer.from(header, 'hex') : Buffer.alloc(32);
  if (!crypto.timingSafeEqual(expected, given)) {
    return res.status(401).json({ error: 'invalid signature' });
  }
  req.rawBody = body;
  next();
}

app.post(
  '/webhooks/turris',
  express.raw({ type: 'application/json', limit: '512kb' }),
  verify,
  (req, res) => {
    let event;
    try {
      event = JSON.parse(req.rawBody);
    } catch {
      return res.status(400).json({ error: 'malformed JSON' });
    }
    if (typeof event?.webhookType !== 'string' || typeof event.payload !== 'object') {
      return res.status(400).json({ error: 'not an event' });
    }
    if (event.upstreamEntityId !== process.env.TURRIS_UPSTREAM_ENTITY_ID) {
      return res.status(400).json({ error: 'unknown entity' });
    }
    const id = crypto.createHash('sha256').update(req.rawBody).digest('hex');
    db.run('INSERT OR IGNORE INTO events VALUES (?, ?, ?)', [
      id,
      event.webhookType,
      JSON.stringify(event.payload),
    ]);
    res.sendStatus(200);
  },
);

app.use((error, req, res, next) => {
  if (res.headersSent) return next(error);
  const status = error.status && error.status < 500 ? error.status : 500;
  res.status(status).json({ error: status === 500 ? 'internal error' : 'bad request' });
});

app.listen(Number(process.env.PORT), '127.0.0.1');
