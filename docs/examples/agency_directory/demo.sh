#!/bin/sh
# Runs the example's test suite, then shows the standalone sandbox answering curl.
set -eu
cd "$(dirname "$0")"

echo "== the test suite of the example, which only uses the plugin's fixtures"
"$BIN/python" -m pytest -q -n auto

echo
echo "== the same sandbox as a server"
lines=$(mktemp)
"$BIN/turris-sandbox" serve --port 0 >"$lines" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$lines"' EXIT
tries=0
until grep -q TURRIS_WEBHOOK_SECRET "$lines"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "the sandbox did not start"; exit 1; }
    sleep 0.1
done
. "$lines"

echo "$ curl \$TURRIS_BASE_URL/v1/auth/jwt -d '{\"clientId\": ..., \"clientSecret\": ...}'"
token=$(curl -sS "$TURRIS_BASE_URL/v1/auth/jwt" -H 'Content-Type: application/json' \
    -d "{\"clientId\":\"$TURRIS_CLIENT_ID\",\"clientSecret\":\"$TURRIS_CLIENT_SECRET\"}" \
    | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')

echo "$ curl \$TURRIS_BASE_URL/v1/agents -H 'Authorization: Bearer ...' -d '{\"npn\": \"12345678\"}'"
curl -sS "$TURRIS_BASE_URL/v1/agents" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' -d '{"npn":"12345678","email":"dana.lee@example.com"}'
echo

echo "$ curl \$TURRIS_BASE_URL/v1/agents?npn=12345678 -H 'Authorization: Bearer ...'"
curl -sS "$TURRIS_BASE_URL/v1/agents?npn=12345678" -H "Authorization: Bearer $token"
echo

echo "$ curl \$TURRIS_BASE_URL/v1/agents        (no token)"
curl -sS "$TURRIS_BASE_URL/v1/agents"
echo
