// The Express receiver of the documentation; each event is a file.
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { createApp } = require('../express/receiver.js');

const act = (event) => {
  const file = path.join(process.env.INBOX_DIR, crypto.randomUUID());
  fs.writeFileSync(file, JSON.stringify(event));
};
const { TURRIS_WEBHOOK_SECRET: key, TURRIS_UPSTREAM_ENTITY_ID: entity } = process.env;
createApp(key, entity, act).listen(Number(process.env.PORT), '127.0.0.1');
