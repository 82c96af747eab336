import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The JDK's HTTP server, Gson and MessageDigest.isEqual; the body is stored as it came. */
public final class Receiver {
    private static final int LIMIT = 1 << 20;
    private static final byte[] SECRET =
            System.getenv("TURRIS_WEBHOOK_SECRET").getBytes(StandardCharsets.UTF_8);

    public static void main(String[] args) throws IOException {
        int port = Integer.parseInt(System.getenv("PORT"));
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        HttpServer server = HttpServer.create(address, 0);
        server.createContext("/webhooks/turris", Receiver::handle);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
    }

    private static void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(receive(exchange), -1);
        }
    }

    private static int receive(HttpExchange exchange) throws IOException {
        if (!exchange.getRequestURI().getPath().equals("/webhooks/turris")) {
            return 404;
        }
        if (!exchange.getRequestMethod().equals("POST")) {
            return 405;
        }
        byte[] body = exchange.getRequestBody().readNBytes(LIMIT + 1);
        if (body.length > LIMIT) {
            return 413;
        }
        try {
            if (!signed(body, exchange.getRequestHeaders().getFirst("X-Turris-Signature"))) {
                return 401;
            }
            if (!isOurs(new String(body, StandardCharsets.UTF_8))) {
                return 400;
            }
            store(body);
            return 204;
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException error) {
            return 400;
        } catch (GeneralSecurityException error) {
            return 500;
        }
    }

    private static boolean signed(byte[] body, String header) throws GeneralSecurityException {
        if (header == null) {
            return false;
        }
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET, "HmacSHA256"));
        String wanted = HexFormat.of().formatHex(mac.doFinal(body));
        return MessageDigest.isEqual(
                wanted.getBytes(StandardCharsets.UTF_8), header.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean isOurs(String text) {
        JsonObject event = JsonParser.parseString(text).getAsJsonObject();
        return event.has("webhookType")
                && event.has("payload")
                && event.has("upstreamEntityId")
                && event.get("upstreamEntityId")
                        .getAsString()
                        .equals(System.getenv("TURRIS_UPSTREAM_ENTITY_ID"));
    }

    private static void store(byte[] body) throws IOException, GeneralSecurityException {
        String id = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
        Path file = Path.of(System.getenv("INBOX_DIR"), id);
        try {
            Files.write(file, body, StandardOpenOption.CREATE_NEW);
        } catch (FileAlreadyExistsException duplicate) {
            // It is stored already.
        }
    }
}
