# Sinatra under Puma: Rack::Utils.secure_compare, SQLite with a unique key.
require "digest"
require "json"
require "openssl"
require "sinatra/base"
require "sqlite3"

class Inbox < Sinatra::Base
  set :environment, :production
  set :logging, false
  LIMIT = 512 * 1024
  LOCK = Mutex.new
  DB = SQLite3::Database.new(ENV.fetch("DATABASE_PATH"))
  DB.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT)")

  post "/webhooks/turris" do
    body = request.body.read(LIMIT + 1) || ""
    halt 413 if body.bytesize > LIMIT
    wanted = OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("TURRIS_WEBHOOK_SECRET"), body)
    given = request.env["HTTP_X_TURRIS_SIGNATURE"].to_s
    halt 401, "invalid signature" unless Rack::Utils.secure_compare(wanted, given)
    begin
      event = JSON.parse(body)
    rescue JSON::ParserError, EncodingError
      halt 400, "malformed JSON"
    end
    halt 400, "not an event" unless event.is_a?(Hash) && event["webhookType"].is_a?(String)
    halt 403, "unknown entity" unless event["upstreamEntityId"] == ENV.fetch("TURRIS_UPSTREAM_ENTITY_ID")
    LOCK.synchronize do
      DB.execute(
        "INSERT OR IGNORE INTO events VALUES (?, ?)",
        [Digest::SHA256.hexdigest(body), event["webhookType"]]
      )
    end
    status 204
  end
end
