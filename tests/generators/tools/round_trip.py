"""A token, an invitation that is sent twice with one idempotency key, and a list."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
import turris_generated as api

configuration = api.Configuration(host=os.environ["TURRIS_BASE_URL"])
with api.ApiClient(configuration) as client:
    credentials = {
        "clientId": os.environ["TURRIS_CLIENT_ID"],
        "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
    }
    token = api.AuthApi(client).auth_controller_get_token_v1(api.GetTokenDto.from_dict(credentials))
    configuration.access_token = token.data.access_token
    associations = api.DownstreamEntityAssociationsApi(client)
    body = api.InviteDownstreamEntityDto.from_dict(json.loads(os.environ["INVITATION"]))
    first, second = (
        associations.associated_downstream_entities_controller_invite_downstream_entity_v1(
            body, idempotency_key=os.environ["KEY"]
        )
        for _ in range(2)
    )
    listed = associations.associated_downstream_entities_controller_get_all_downstream_entities_v1()
    urls = {"first": first.data.url, "second": second.data.url}
    sys.stdout.write(json.dumps(urls | {"associations": len(listed.data)}))
