// Broken: parses before it verifies, and verifies what it wrote itself.
"use strict";

const crypto = require("node:crypto");
const express = require("express");

const app = express();
app.use(express.json());
app.post("/webhooks", (req, res) => {
  const hmac = crypto.createHmac("sha256", process.env.TURRIS_WEBHOOK_SECRET);
  const expected = hmac.update(JSON.stringify(req.body)).digest("hex");
  res.sendStatus(req.headers["x-turris-signature"] === expected ? 204 : 401);
});

const server = app.listen(Number(process.env.PORT), "127.0.0.1", () => {
  console.log(`listening on ${server.address().port}`);
});
