// A token, an invitation that is sent twice with one idempotency key, and a list.
import {
  associatedDownstreamEntitiesControllerGetAllDownstreamEntitiesV1 as list,
  associatedDownstreamEntitiesControllerInviteDownstreamEntityV1 as invite,
  authControllerGetTokenV1 as getToken,
} from "./client.js";

declare const process: { env: Record<string, string> };
const { TURRIS_BASE_URL, TURRIS_CLIENT_ID, TURRIS_CLIENT_SECRET, INVITATION, KEY } = process.env;

// The generated paths begin at the host; fetch in Node needs the rest.
const send = globalThis.fetch;
globalThis.fetch = (path, options) => send(`${TURRIS_BASE_URL}${new URL(String(path), TURRIS_BASE_URL).pathname}`, options);

const token = await getToken({ clientId: TURRIS_CLIENT_ID, clientSecret: TURRIS_CLIENT_SECRET });
if (token.status !== 201) throw new Error(`token: ${token.status}`);
const authorization = { Authorization: `Bearer ${token.data.data.accessToken}` };

const urls: (string | undefined)[] = [];
for (let turn = 0; turn < 2; turn += 1) {
  const answer = await invite(JSON.parse(INVITATION), { "idempotency-key": KEY }, {
    headers: { ...authorization, "idempotency-key": KEY },
  });
  if (answer.status !== 201) throw new Error(`invite: ${answer.status}`);
  urls.push(answer.data.data.url);
}
const listed = await list(undefined, { headers: authorization });
if (listed.status !== 200) throw new Error(`list: ${listed.status}`);
console.log(JSON.stringify({ first: urls[0], second: urls[1], associations: listed.data.data.length }));
