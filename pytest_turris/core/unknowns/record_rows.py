"""The rows about agents, agencies, contacts, and NIPR's data about them."""

from pytest_turris.core.unknowns.rows import Behaviour, row

RECORD_ROWS: tuple[Behaviour, ...] = (
    # Agents
    row("agents", "Members, their order, filters and exclusions", "documented",
        "agents/list-agents, agents/get-agent, agents/create-agent"),
    row("agents", "`middleName`, in a body and in answers: its description can be read, its name "
        "cannot, and no sample has it", "assumed", "agents/create-agent: newer copy",
        no_option="a client that neither sends nor reads it sees no difference"),
    row("agents", "`licenseNumber` and `stateCode` filter together; one alone is a 400", "assumed",
        "downstream-entity-associations/list-associations has the rule; the definitions of "
        "agents/list-agents are cut off", "agent_license_filter"),
    row("agents", "`downstreamEntityAssociationId` is the last member, and that of the agency in "
        "the query or the body, or else of the agent's first", "assumed",
        "contacts/list-contacts names it",
        no_option="JSON members have no order for a client; asking for an agency decides"),
    row("agents", "Creating answers 201; a known NPN returns the same agent, with the members "
        "that are given", "assumed", "-", "duplicate_agent", "write_success_status"),
    row("agents", "Creating a deleted or archived agent again restores it", "assumed",
        "help centre: agencies (their agents are soft-deleted and can be restored)",
        "recreated_agent"),
    row("agents", "An unknown association in a body is a 404", "assumed", "-",
        "unknown_association"),
    row("agents", "Lists contain deleted and archived agents, oldest first", "assumed",
        "agents/list-agents: members isDeleted, isArchived", "deleted_agents"),
    # Associations
    row("associations", "Members, their order, filters and exclusions", "documented",
        "downstream-entity-associations/list-associations"),
    row("associations", "The e-mail filters look at every contact of the agency", "documented",
        "downstream-entity-associations/list-associations: by contact email", "email_filter"),
    row("associations", "An invited agency is listed at once, without an NPN", "derived",
        "help centre: agencies (invited ones are listed with their progress)",
        "invited_agencies"),
    row("associations", "`invite` answers 201, always with `url`", "assumed",
        "downstream-entity-associations/invite", "write_success_status"),
    row("associations", "A producer code is unique per upstream entity; a second use is a 400",
        "derived", "guides/entity-definitions"),
    row("associations", "An unknown `parentProducerCode` is a 400", "assumed", "-",
        no_option="the deprecated variants skip the check"),
    row("associations", "Several associations may share an NPN and a FEIN: branches, or producer "
        "codes. Look-ups by either give all", "documented",
        "guides/webhooks/compliance-data-synchronized"),
    row("associations", "A template id together with the pre-contract review is a 400",
        "documented", "downstream-entity-associations/invite"),
    row("associations", "A template id must be that of an active template, or the documented 400 "
        "follows. `customFieldValues` are required when the template has custom fields, and are "
        "validated against type, required, min and max", "documented",
        "downstream-entity-associations/invite, contract-container-templates/list"),
    row("associations", "`producerAgreementId` together with the pre-contract review is a 201",
        "assumed", "downstream-entity-associations/invite names the template's id alone",
        no_option="the id is deprecated; with the template's id the documented 400 follows"),
    row("associations", "`customFieldValues` that the template does not have are a 400; without a "
        "template they are ignored", "assumed", "-",
        no_option="a client that sends the fields of its template sees no difference"),
    row("associations", "Types of custom fields other than `string`: `number`, `boolean`, `date`",
        "assumed", "contract-container-templates/list",
        no_option="a test defines the fields of its templates"),
    row("associations", "`POST .../add`: its path, status and checks; the conditions are those of "
        "`dangerously-add`", "derived", "downstream-entity-associations/dangerously-add",
        "write_success_status"),
    row("associations", "`dangerously-*` skip the checks of templates, producer codes, parents "
        "and FEINs", "assumed", "each page: bypasses validation checks",
        no_option="the standard variants have the checks"),
    row("associations", "The sign-in URL is for the agency's own contacts; others get a 404",
        "assumed", "downstream-entity-associations/get-sign-in-url",
        no_option="a test adds the contact, or does not"),
    row("associations", "Soft-deleted ones leave lists and answer 404; their agents are deleted "
        "with them, their PDB alerts paused, and both restored", "derived",
        "guides/entity-definitions (isDeleted); help centre: agencies", "deleted_associations"),
    row("associations", "Declining an invitation removes the record (`associations.remove`)",
        "documented", "help centre: agency onboarding"),
    row("associations", "Another template for an invited agency, and envelopes issued again: not "
        "modelled", "documented", "help centre: agency onboarding, pre-contract review"),
    row("associations", "Grace periods, coverage minimums, policy licensing modes, the authority "
        "of an agency by state, warnings besides compliant and non-compliant: not modelled",
        "documented",
        "guides/entity-definitions; help centre: policy licensing, agency licenses"),
    row("deprecation", "Three headers on deprecated operations", "documented",
        "guides/versioning"),
    row("deprecation", "410 after the sunset, if the option asks for it: a default must not change "
        "with the date", "documented", "guides/versioning", "sunset"),
    row("deprecation", "Each `dangerously-*` operation sends them, with the guide's example date",
        "assumed", "guides/versioning", "sunset"),
    # Contacts
    row("contacts", "Members, roles, filters, and visibility", "documented",
        "contacts/list-contacts"),
    row("contacts", "A contact has one entry per agency; an agency has one primary contact",
        "documented", "contacts/get-contact; help centre: agency contacts"),
    row("contacts", "One e-mail address is one person", "assumed",
        "changelog: one entry per contact",
        no_option="two persons of a test have two addresses"),
    row("contacts", "An association's primary contact is a contact without roles, until some are "
        "added; an entry for both kinds of relationship has an association id", "assumed",
        "contacts/list-contacts", no_option="a test gives the roles that it needs"),
    # NIPR
    row("NIPR data", "Names, legal names and FEINs come from NIPR by NPN, and win; a given "
        "`middleName` stays", "documented",
        "agents/create-agent; help centre: bulk-uploading agencies and agents"),
    row("NIPR data", "Until the first fetch succeeds there are only the names and the FEIN of the "
        "request; other names are empty texts", "assumed", "-", "first_sync"),
    row("NIPR data", "The first fetch of a new NPN is queued, and an event reports its end",
        "documented", "guides/webhooks/compliance-data-synchronized", "first_sync",
        "sync_duration"),
    row("NIPR data", "Until the first fetch succeeds there are no licenses, appointments and "
        "actions, and compliance is `Pending Data`", "derived",
        "help centre: license compliance, policy licensing", "first_sync"),
    row("NIPR data", "The first fetch changes the status from `Pending Data` without a status "
        "event: the end of the fetch has an event of its own", "assumed",
        "guides/webhooks/agent-compliance-status-change: the triggers do not name a fetch",
        "first_status_event"),
    row("NIPR data", "A fetch can fail: for an NPN that NIPR does not have, or has for the other "
        "kind of producer", "derived", "help centre: license compliance; agencies",
        "sync_outcome", "unknown_npn"),
    row("NIPR data", "Names that `turris.npns` does not have are invented", "assumed", "-",
        "unknown_npn"),
    row("NIPR data", "The words of `status`: `queued`, `success`, `failed`, `active`, `paused`",
        "assumed", "only `success` was seen, in a webhook",
        no_option="a test sets members with `update` to what its client expects"),
    row("NIPR data", "Fixed words: `onboardingCategory` is `addition`, `dataOwnerModel` "
        "`UpstreamEntity`, `entityModel` `Agent` or `DownstreamEntity`, `residencyStatus` "
        "`resident`", "assumed", "agents/list-agents: an enum that begins with addition",
        no_option="a test sets members with `update` to what its client expects"),
    row("NIPR data", "`stateCode` is one of the fifty states, DC and the territories", "assumed",
        "licenses: an enum that begins with AL",
        no_option="a client that sends the codes of states sees no difference"),
    row("NIPR data", "`stateCode` in lower case is a 400", "assumed",
        "every example is in upper case",
        no_option="a client that sends upper case, as documented, sees no difference"),
    row("NIPR data", "After the first fetch, licenses, appointments and regulatory actions are "
        "what NIPR has now, as if every change came with a PDB alert: without a sync, while alerts "
        "are paused, and after a failed sync. Only a sync moves `lastSynchronizationDate`",
        "assumed",
        "compliance-data-subscriptions/sync-downstream-entity: a sync updates them; "
        "guides/webhooks: PDB alerts; help centre: agencies (alerts are paused)",
        no_option="the journal shows whether a client asked for a sync, and a test adds what the "
        "sync brings after it"),
    row("sync", "201 without content; asynchronous, a few minutes", "documented",
        "compliance-data-subscriptions/sync-agent", "sync_duration"),
    row("sync", "The same for an agency; without an NPN it is a 400", "assumed", "-",
        "write_success_status"),
    row("sync", "The subscription has the members of the embedded object, and `_id`",
        "assumed", "compliance-data-subscriptions/get-status",
        no_option="the id is the one that was asked for; the members are those of agents"),
    row("NPN lookup", "1 to 20 NPNs, each once; 429 while one is in progress", "documented",
        "tools/validate-npns", "npn_lookup_duration"),
    row("NPN lookup", "That 429 has `X-RateLimit-*` of the writes, where there are any: it counts "
        "as one, and the limit is not used up", "assumed", "-", "rate_headers", "retry_after"),
    row("NPN lookup", "The list in the body is `npns`", "assumed", "-", "npn_lookup_member"),
    row("NPN lookup", "A result has `npn`, `entityType`, `name`", "assumed", "-",
        no_option="`npns.add(members=...)` gives a result its members"),
    row("NPN lookup", "A lookup takes no time", "assumed", "-", "npn_lookup_duration"),
    row("licenses", "Members, filters, and both forms of a FEIN", "documented",
        "licenses/downstream-entity-licenses, licenses/surplus-lines"),
    row("licenses", "An active license after its `expirationDate` is shown as `expired`, before "
        "its `issueDate` as `inactive`", "assumed",
        "help centre: licenses are Active, Expiring Soon, Inactive",
        no_option="a test that gives a status gets that status"),
    row("licenses", "Oldest first; the help centre's pages list by state", "assumed", "-",
        no_option="the order of an API's list is not documented: a client must not rely on it"),
    row("licenses", "Surplus lines licenses are those with such a class name, of all branches "
        "with the FEIN", "assumed", "licenses/surplus-lines",
        no_option="a test names the classes of its licenses"),
    row("licenses", "An unknown FEIN is a 404", "assumed", "-", "unknown_fein"),
    row("appointments", "Members and filters", "documented", "appointments/agent-appointments"),
    row("appointments", "A current appointment is `active`, or `appointed` as in the filter's "
        "example", "disputed", "appointments/agent-appointments", "appointment_status"),
    row("appointments", "An appointment stays as it is after its `renewalDate`, while a license "
        "lapses", "assumed", "-",
        no_option="a test ends it with `appointments.update(..., status='terminated')`"),
    row("regulatory actions", "Members and their order", "documented",
        "regulatory-actions/agent-regulatory-actions"),
)  # fmt: skip
"""Records of agents and agencies, in the order of the docs page."""
