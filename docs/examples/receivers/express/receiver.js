// A receiver with Express: verify the raw bytes, then parse.
"use strict";

const crypto = require("node:crypto");
const express = require("express");

const MAX_BODY = 1024 * 1024;
const LISTS = ["AGENT_COMPLIANCE_STATUS_CHANGE", "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE"];
const OBJECTS = ["ENTITY_COMPLIANCE_DATA_SYNCHRONIZED", "PRODUCER_AGREEMENT_EXECUTED"];

function createApp(key, entity, act) {
  if (!key || key.trim().length < 24) throw new Error("the webhook key is missing or too short");
  const app = express();
  const seen = new Set();
  app.disable("x-powered-by");
  app.enable("strict routing");

  app.post("/webhooks", readRaw, (req, res) => {
    const { body } = req;
    if (!isAuthentic(req, body, key.trim())) return res.sendStatus(401);
    if (!isJson(req)) return res.sendStatus(415);
    let event;
    try {
      event = parse(body);
    } catch {
      return res.sendStatus(400);
    }
    const digest = crypto.createHash("sha256").update(body).digest("hex");
    const ours = event && event.upstreamEntityId === entity;
    if (ours && !seen.has(digest)) {
      seen.add(digest);
      try {
        act(event);
      } catch {
        seen.delete(digest); // so that it can be sent again
        return res.sendStatus(503);
      }
    }
    res.sendStatus(204);
  });

  app.use((req, res) => res.sendStatus(404));
  // Otherwise Express answers with a stack trace.
  app.use((error, req, res, next) => res.sendStatus(error.status || 500));
  return app;
}

// Reads the raw bytes, whatever their content type: nothing is parsed before it is verified.
// express.raw() would read a body over its limit to the end before it answers.
function readRaw(req, res, next) {
  const chunks = [];
  let length = 0;
  const take = (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY) {
      req.off("data", take).pause();
      res.set("Connection", "close").sendStatus(413);
    }
  };
  req.on("data", take).on("error", next).on("end", () => {
    req.body = Buffer.concat(chunks);
    next();
  });
}

function isAuthentic(req, body, key) {
  const lines = req.headersDistinct["x-turris-signature"] || [];
  if (lines.length !== 1) return false;
  const given = Buffer.from(lines[0], "latin1");
  const expected = Buffer.from(crypto.createHmac("sha256", key).update(body).digest("hex"));
  // timingSafeEqual throws on unequal lengths.
  return given.length === expected.length && crypto.timingSafeEqual(given, expected);
}

function isJson(req) {
  const [kind, ...rest] = (req.headers["content-type"] || "").toLowerCase().split(";");
  const charset = rest.join(";").trim();
  const plain = kind.trim() === "application/json" && ["", "charset=utf-8"].includes(charset);
  return plain && !("content-encoding" in req.headers);
}

function parse(body) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const event = JSON.parse(decoder.decode(body));
  const { webhookType: name, payload } = event;
  if (typeof name !== "string" || typeof payload !== "object" || payload === null) throw new Error("not an event");
  if (Array.isArray(payload) !== LISTS.includes(name)) throw new Error("the payload has the wrong type");
  if (Array.isArray(payload) && payload.some((entry) => entry === null || typeof entry !== "object")) {
    throw new Error("the payload has the wrong type");
  }
  return LISTS.includes(name) || OBJECTS.includes(name) ? event : null;
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp(
    process.env.TURRIS_WEBHOOK_SECRET,
    process.env.TURRIS_UPSTREAM_ENTITY_ID,
    () => {},
  );
  const server = app.listen(Number(process.env.PORT || 3000), "127.0.0.1", () => {
    console.log(`listening on ${server.address().port}`);
  });
}
