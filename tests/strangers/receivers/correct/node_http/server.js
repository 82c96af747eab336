// Node's own http module; events are files that are created exclusively.
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const LIMIT = 1024 * 1024;
const secret = process.env.TURRIS_WEBHOOK_SECRET;
const entity = process.env.TURRIS_UPSTREAM_ENTITY_ID;
const inbox = process.env.INBOX_DIR;

function isSigned(body, header) {
  const expected = crypto.createHmac('sha256', secret).update(body).digest('hex');
  const given = Buffer.from(header || '', 'utf8');
  const wanted = Buffer.from(expected, 'utf8');
  return given.length === wanted.length && crypto.timingSafeEqual(given, wanted);
}

function store(body, event) {
  const id = crypto.createHash('sha256').update(body).digest('hex');
  try {
    fs.writeFileSync(path.join(inbox, `${id}.json`), JSON.stringify(event), { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

const server = http.createServer((req, res) => {
  const answer = (status, headers = {}) => {
    if (!res.headersSent) res.writeHead(status, headers).end();
  };
  if (req.url !== '/webhooks/turris') return answer(404);
  if (req.method !== 'POST') return answer(405, { Allow: 'POST' });
  const chunks = [];
  let size = 0;
  req.on('data', (chunk) => {
    size += chunk.length;
    if (size > LIMIT) {
      answer(413, { Connection: 'close' });
      req.pause();
      return;
    }
    chunks.push(chunk);
  });
  req.on('error', () => {});
  req.on('end', () => {
    if (size > LIMIT) return;
    const body = Buffer.concat(chunks);
    if (!isSigned(body, req.headers['x-turris-signature'])) return answer(401);
    let event;
    try {
      event = JSON.parse(body.toString('utf8'));
    } catch {
      return answer(400);
    }
    if (!event || typeof event.webhookType !== 'string' || !event.payload) return answer(400);
    if (event.upstreamEntityId !== entity) return answer(403);
    try {
      store(body, event);
    } catch {
      return answer(503);
    }
    answer(204);
  });
});
server.requestTimeout = 30000;
server.listen(Number(process.env.PORT), '127.0.0.1');
