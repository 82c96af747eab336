// One good receiver for each scheme, behind /<scheme>: it verifies with the official library.
import crypto from "node:crypto";
import http from "node:http";

import { Webhooks } from "@octokit/webhooks";
import { ApiVersion, shopifyApi } from "@shopify/shopify-api";
import "@shopify/shopify-api/adapters/node";
import bolt from "@slack/bolt";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";

const { KEY, KEY_IN_BASE64 } = process.env;
const MAX_BODY = 1024 * 1024;

const stripe = new Stripe("sk_test_none");
const octokit = new Webhooks({ secret: KEY });
const shopify = shopifyApi({
  apiKey: "none", apiSecretKey: KEY, apiVersion: ApiVersion.July25 ?? "2025-07",
  hostName: "localhost", isEmbeddedApp: false, scopes: [],
  logger: { log: () => {} },
});

// Each returns, or throws, or returns false.
const VERIFY = {
  "standard-webhooks": (body, req) => new Webhook(KEY_IN_BASE64).verify(body, req.headers),
  svix: (body, req) => new SvixWebhook(KEY_IN_BASE64).verify(body, req.headers),
  stripe: (body, req) => stripe.webhooks.constructEvent(body, req.headers["stripe-signature"], KEY),
  github: (body, req) => octokit.verify(body.toString("utf8"), req.headers["x-hub-signature-256"]),
  slack: (body, req) => bolt.verifySlackRequest({
    signingSecret: KEY,
    body: body.toString("utf8"),
    headers: {
      "x-slack-signature": req.headers["x-slack-signature"],
      "x-slack-request-timestamp": Number(req.headers["x-slack-request-timestamp"]),
    },
  }),
  shopify: async (body, req, res) => {
    const found = await shopify.webhooks.validate({
      rawBody: body.toString("utf8"), rawRequest: req, rawResponse: res,
    });
    return found.valid;
  },
};

const effects = new Map(Object.keys(VERIFY).map((scheme) => [scheme, new Set()]));

async function receive(scheme, body, req, res) {
  try {
    if ((await VERIFY[scheme](body, req, res)) === false) return 401;
  } catch {
    return 401;
  }
  let event;
  try {
    // A text that is not UTF-8 is no JSON: toString() would mend it.
    event = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return 400;
  }
  if (event === null || typeof event !== "object" || !event.id) return 400;
  effects.get(scheme).add(crypto.createHash("sha256").update(body).digest("hex"));
  return 204;
}

const server = http.createServer((req, res) => {
  const scheme = req.url.slice(1);
  if (!effects.has(scheme)) return res.writeHead(404).end();
  if (req.method === "GET") return res.end(String(effects.get(scheme).size));
  if (req.method !== "POST") return res.writeHead(405).end();
  const chunks = [];
  let length = 0;
  const take = (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY) {
      req.off("data", take).pause();
      res.writeHead(413, { Connection: "close" }).end();
    }
  };
  req.on("data", take).on("error", () => {}).on("end", async () => {
    res.writeHead(await receive(scheme, Buffer.concat(chunks), req, res)).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
