// Prints one delivery of each scheme as JSON, signed by the official library.
import crypto from "node:crypto";

import { Webhooks } from "@octokit/webhooks";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";

const { KEY, KEY_IN_BASE64 } = process.env;
const BODY = '{"id": "evt_1", "name": "caf\u00e9"}';

const at = new Date();
const seconds = String(Math.floor(at / 1000));
const id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const hmac = (text, encoding) => crypto.createHmac("sha256", KEY).update(text).digest(encoding);

const headers = {
  "standard-webhooks": {
    "webhook-id": id,
    "webhook-timestamp": seconds,
    "webhook-signature": new Webhook(KEY_IN_BASE64).sign(id, at, BODY),
  },
  svix: {
    "svix-id": id,
    "svix-timestamp": seconds,
    "svix-signature": new SvixWebhook(KEY_IN_BASE64).sign(id, at, BODY),
  },
  stripe: {
    "stripe-signature": new Stripe("sk_test_none").webhooks.generateTestHeaderString({
      payload: BODY, secret: KEY,
    }),
  },
  github: {
    "X-GitHub-Delivery": crypto.randomUUID(),
    "X-Hub-Signature-256": await new Webhooks({ secret: KEY }).sign(BODY),
  },
  // These libraries only verify: the lines are those of their vendors' documentation.
  slack: {
    "X-Slack-Request-Timestamp": seconds,
    "X-Slack-Signature": `v0=${hmac(`v0:${seconds}:${BODY}`, "hex")}`,
  },
  shopify: { "X-Shopify-Topic": "orders/create", "X-Shopify-Hmac-SHA256": hmac(BODY, "base64") },
};

console.log(JSON.stringify({ body: BODY, headers }));
