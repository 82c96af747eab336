import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.AuthApi;
import org.openapitools.client.api.DownstreamEntityAssociationsApi;
import org.openapitools.client.model.GetTokenDto;
import org.openapitools.client.model.InviteDownstreamEntityDto;

/** A token, an invitation that is sent twice with one idempotency key, and a list. */
public class RoundTrip {
  public static void main(String[] arguments) throws Exception {
    Map<String, String> given = System.getenv();
    AtomicReference<String> token = new AtomicReference<>();
    ApiClient client = new ApiClient();
    client.updateBaseUri(given.get("TURRIS_BASE_URL"));
    // The generated client for java.net.http has no setting for bearer tokens.
    client.setRequestInterceptor(request -> {
      if (token.get() != null) request.header("Authorization", "Bearer " + token.get());
    });
    GetTokenDto credentials = new GetTokenDto()
        .clientId(given.get("TURRIS_CLIENT_ID"))
        .clientSecret(given.get("TURRIS_CLIENT_SECRET"));
    token.set(new AuthApi(client).authControllerGetTokenV1(credentials).getData().getAccessToken());

    var associations = new DownstreamEntityAssociationsApi(client);
    var invitation = client.getObjectMapper()
        .readValue(given.get("INVITATION"), InviteDownstreamEntityDto.class);
    String[] urls = new String[2];
    for (int turn = 0; turn < urls.length; turn++) {
      urls[turn] = associations
          .associatedDownstreamEntitiesControllerInviteDownstreamEntityV1(
              invitation, given.get("KEY"), null)
          .getData().getUrl().toString();
    }
    var listed = associations
        .associatedDownstreamEntitiesControllerGetAllDownstreamEntitiesV1(
            null, null, null, null, null);
    System.out.println(client.getObjectMapper().writeValueAsString(
        Map.of("first", urls[0], "second", urls[1], "associations", listed.getData().size())));
  }
}
