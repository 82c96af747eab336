<?php
// PHP's built-in server: hash_equals, php://input, PDO with a unique key.
declare(strict_types=1);

const LIMIT = 1048576;

function answer(int $status, string $message = ''): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode(['message' => $message]);
    exit;
}

if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) !== '/webhooks/turris') {
    answer(404, 'not found');
}
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    header('Allow: POST');
    answer(405, 'method not allowed');
}

$body = file_get_contents('php://input', false, null, 0, LIMIT + 1);
if ($body === false || strlen($body) > LIMIT) {
    answer(413, 'too large');
}
$wanted = hash_hmac('sha256', $body, getenv('TURRIS_WEBHOOK_SECRET'));
if (!hash_equals($wanted, $_SERVER['HTTP_X_TURRIS_SIGNATURE'] ?? '')) {
    answer(401, 'invalid signature');
}
try {
    $event = json_decode($body, true, 64, JSON_THROW_ON_ERROR);
} catch (JsonException) {
    answer(400, 'malformed JSON');
}
if (!is_array($event) || !is_string($event['webhookType'] ?? null) || !isset($event['payload'])) {
    answer(400, 'not an event');
}
if (($event['upstreamEntityId'] ?? null) !== getenv('TURRIS_UPSTREAM_ENTITY_ID')) {
    answer(403, 'unknown entity');
}

$db = new PDO('sqlite:' . getenv('DATABASE_PATH'));
$db->setAttribute(PDO::ATTR_TIMEOUT, 10);
$db->exec('CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT NOT NULL)');
$insert = $db->prepare('INSERT OR IGNORE INTO events VALUES (?, ?)');
$insert->execute([hash('sha256', $body), $event['webhookType']]);
answer(200, 'ok');
