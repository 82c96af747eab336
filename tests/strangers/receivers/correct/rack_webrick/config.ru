# A plain Rack application under WEBrick; the inbox is a folder of files created exclusively.
require "digest"
require "json"
require "openssl"
require "rack"

LIMIT = 256 * 1024

class Receiver
  def call(env)
    request = Rack::Request.new(env)
    return [404, {}, []] unless request.path_info == "/webhooks/turris"
    return [405, { "Allow" => "POST" }, []] unless request.post?

    body = request.body.read(LIMIT + 1).to_s
    return [413, {}, []] if body.bytesize > LIMIT
    return [401, {}, ["invalid signature"]] unless signed?(body, env["HTTP_X_TURRIS_SIGNATURE"].to_s)

    event = JSON.parse(body)
    return [400, {}, ["not an event"]] unless event.is_a?(Hash) && event.key?("payload")
    return [403, {}, ["unknown entity"]] unless event["upstreamEntityId"] == ENV["TURRIS_UPSTREAM_ENTITY_ID"]

    store(body)
    [200, { "Content-Type" => "text/plain" }, ["ok"]]
  rescue JSON::ParserError, EncodingError
    [400, {}, ["malformed JSON"]]
  end

  private

  def signed?(body, given)
    wanted = OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("TURRIS_WEBHOOK_SECRET"), body)
    given.bytesize == wanted.bytesize && OpenSSL.fixed_length_secure_compare(wanted, given)
  end

  def store(body)
    name = File.join(ENV.fetch("INBOX_DIR"), Digest::SHA256.hexdigest(body))
    File.open(name, File::WRONLY | File::CREAT | File::EXCL) { |file| file.write(body) }
  rescue Errno::EEXIST
    nil
  end
end

run Receiver.new
