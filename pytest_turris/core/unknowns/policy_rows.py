"""The rows about products, compliance, documents and policies."""

from pytest_turris.core.unknowns.rows import Behaviour, row

POLICY_ROWS: tuple[Behaviour, ...] = (
    row("products", "The members on the wire: `_id`, `name`, `createdAt`, `updatedAt`",
        "assumed", "products/get-product",
        no_option="`products.add(members=...)` gives a product its members"),
    row("compliance", "`productName` and `states[].stateCode`", "documented",
        "compliance-status/agent-compliance"),
    row("compliance", "A state contains its statuses, with the words of the webhooks", "derived",
        "guides/webhooks", "compliance_states"),
    row("compliance", "Requirements are per product and state, with separate switches for the "
        "appointments of agencies and agents", "documented",
        "help centre: settings, products, compliance"),
    row("compliance", "How a status follows from licenses, lines and appointments", "assumed",
        "help centre: settings, products, compliance",
        no_option="`products.add` takes the requirements; a test chooses them"),
    row("compliance", "`states` is empty where the product is not sold", "assumed", "-",
        "product_not_sold"),
    row("compliance", "`Expired License`, `Missing LOA`, `NPN Missing`, `Pending Data`", "derived",
        "help centre: agency license compliance, policy licensing"),
    row("compliance", "`Not Required` without a required carrier (such as E&S)", "assumed",
        "walkthrough: compliance requirements for new products",
        no_option="a word; the compliance status decides"),
    row("compliance", "An agent is checked in the states of its authority, or else of the "
        "product; a change of any of its three statuses is an event", "assumed", "-",
        no_option="a test gives the authority, and the change"),
    row("compliance", "A product that comes to a state, or leaves one, is an event for the agents "
        "and agencies there: before and after it requires nothing (`COMPLIANT`, `Not Required`)",
        "assumed", "guides/webhooks: requirements for a product/state updated",
        no_option="the trigger is documented, and a test changes the product"),
    row("E&O and Cyber", "Members and their order", "documented",
        "eo-cyber-compliance/get-policy-compliance"),
    row("E&O and Cyber", "`collectionStatus` is upcoming, active or expired by date, and received "
        "while an upload is read", "assumed", "-",
        no_option="`coverages.add(collection_status=...)` gives it"),
    row("E&O and Cyber", "`dataExtractionStatus` is `queued`, then `completed`", "assumed", "-",
        no_option="a test sets it with `coverages.update`"),
    row("E&O and Cyber", "A kind without a policy is left out", "assumed", "-", "optional_fields"),
    row("E&O and Cyber", "An uploaded policy is read after a while, with made-up data", "assumed",
        "help centre: extraction", "extraction_duration"),
    row("E&O and Cyber", "One policy may cover several agencies; Crime & Fidelity is a third kind, "
        "which the operation does not show", "documented",
        "help centre: coverage; eo-cyber-compliance/get-policy-compliance"),
    row("E&O and Cyber", "What was read from a file can be corrected by people: not modelled",
        "documented", "help centre: coverage"),
    row("templates", "Members; only active ones are listed", "documented",
        "contract-container-templates/list"),
    row("documents", "Members; `category` is required to list; uploads are PDFs", "documented",
        "file-documents/list-documents, file-documents/upload-document"),
    row("documents", "`metadataModel` of a version is `FileDocumentMetadata`", "assumed", "-",
        no_option="a test sets `versions` with `documents.update`"),
    row("documents", "There are eleven categories to list, or nine", "disputed",
        "file-documents/list-documents", "document_categories"),
    row("documents", "Without `isDeleted`, deleted ones are listed too", "assumed", "-",
        "deleted_documents"),
    row("documents", "No member is a download URL: the pages say that the list has one, and show "
        "none", "disputed", "contract-container-templates/list, file-documents/upload-document",
        no_option="its name is not documented"),
    row("documents", "A file over 10 MB is a 413, there and for policies", "assumed",
        "policies/upload-policy-file: at most 10 MB; file-documents/upload-document: 400",
        "too_large_file"),
    # Policies
    row("policies", "Members, filters, the upload's states, headers, required columns",
        "documented", "policies/list-policies, policies/upload-policy-file"),
    row("policies", "The optional columns are the policy's members; each row counts as created or "
        "updated", "assumed", "policies/upload-policy-file: the list is cut off",
        no_option="a file with the documented columns sees no difference"),
    row("policies", "`currentStatus` follows the dates: cancelled from a Cancellation until a "
        "later New or Renewal, whatever the order in which transactions came", "derived",
        "policies/upload-policy-file: policyTransactionDate is required"),
    row("policies", "Of deciding transactions with one date the last one uploaded counts",
        "assumed", "-", no_option="a test gives its transactions dates of their own"),
    row("policies", "A transaction that was uploaded before counts once more", "assumed", "-",
        "repeated_transactions"),
    row("policies", "An upload answers 201", "assumed", "policies/upload-policy-file",
        "upload_success_status"),
    row("policies", "Blank rows do not count", "assumed", "-", "blank_rows"),
    row("policies", "A file has at most a header and 20,000 rows, 1,024 columns, 1,024 cells or "
        "1 MiB in a row, and 8 MiB of unpacked XML; the first sheet is read", "assumed", "-",
        no_option="it protects the sandbox; larger files test nothing of a client"),
    row("policies", "An upload is queued for half of its time, then processed", "assumed", "-",
        "upload_duration"),
    row("policies", "A name that several agencies share needs clarification, if the row has no "
        "other identifier", "assumed", "help centre: policy data (clarification questions)",
        no_option="a test names its agencies, and gives NPNs or not"),
    row("policies", "A file that cannot be read to its end is FAILED, and `errors` says where and "
        "why", "assumed", "policies/get-upload-status",
        no_option="the status is documented; the text is for humans"),
    row("policies", "Manual review, waiting for the AI, and files for several upstream entities: "
        "not modelled", "documented", "help centre: policy data"),
    row("policies", "An upload's status is enveloped, or bare as in its sample", "disputed",
        "policies/get-upload-status", "upload_status_envelope"),
)  # fmt: skip
"""Products and policies, in the order of the docs page."""
