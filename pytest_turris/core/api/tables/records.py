"""Subscriptions, templates, documents, products, NPN lookups and contacts."""

from pytest_turris.core.api.call import Operation
from pytest_turris.core.api.operations import contacts, documents, nipr, tools
from pytest_turris.core.entity.policy_file import MOST_BYTES
from pytest_turris.core.resources.contacts import Contact
from pytest_turris.core.resources.documents import FileDocument
from pytest_turris.core.resources.npns import NpnLookupResult
from pytest_turris.core.resources.products import Product
from pytest_turris.core.resources.templates import ContractContainerTemplate

ROWS = (
    Operation(
        name="get_subscription_status", method="GET",
        path="/v1/compliance-data-subscriptions/{niprDataSubscriptionId}",
        operation_id="ComplianceDataSubscriptionsController_getStatus_v1",
        handler=nipr.get_subscription_status, summary="Get a NIPR data subscription's status",
        tag="compliance-data-subscriptions", page="compliance-data-subscriptions/get-status",
        answer=nipr.ComplianceDataSubscriptionResponse,
    ),
    Operation(
        name="list_templates", method="GET", path="/v1/contract-container-templates",
        operation_id="ContractContainerTemplatesController_getTemplates_v1",
        operation_id_documented=False, handler=documents.list_templates,
        summary="List active contract templates", tag="contract-container-templates",
        page="contract-container-templates/list", answer=ContractContainerTemplate, many=True,
    ),
    Operation(
        name="list_documents", method="GET", path="/v1/file-documents",
        operation_id="FileDocumentFeatureController_getFileDocuments_v1",
        handler=documents.list_documents, summary="List documents of a category",
        tag="file-documents", page="file-documents/list-documents",
        query=documents.ListDocumentsQuery, answer=FileDocument, many=True,
    ),
    Operation(
        name="upload_document", method="POST", path="/v1/file-documents", status=201,
        operation_id="FileDocumentFeatureController_uploadNewDocument_v1",
        handler=documents.upload_document, summary="Upload a PDF for an agency",
        tag="file-documents", page="file-documents/upload-document",
        form=documents.UploadDocumentDto, answer=FileDocument, errors=(404,),
        documented_errors=(400,), largest_file=MOST_BYTES,
    ),
    Operation(
        name="get_product", method="GET", path="/v1/products/{productId}",
        operation_id="ProductsController_getProduct_v1", handler=documents.get_product,
        summary="Get a product", tag="products", page="products/get-product", answer=Product,
        documented_errors=(401,),
    ),
    Operation(
        name="lookup_npns", method="POST", path="/v1/npn-lookup",
        operation_id="NpnLookupController_lookupNpns_v1", handler=tools.lookup_npns,
        summary="Look up NPNs via NIPR", tag="npn-lookup", page="tools/validate-npns",
        body=tools.NpnLookupDto, answer=NpnLookupResult, many=True, documented_errors=(429,),
    ),
    Operation(
        name="list_contacts", method="GET", path="/v1/contacts",
        operation_id="ContactsController_getContacts_v1", operation_id_documented=False,
        handler=contacts.list_contacts, summary="List contacts", tag="contacts",
        page="contacts/list-contacts", query=contacts.ListContactsQuery, answer=Contact,
        many=True,
    ),
    Operation(
        name="get_contact", method="GET", path="/v1/contacts/{contactId}",
        operation_id="ContactsController_getContact_v1", operation_id_documented=False,
        handler=contacts.get_contact, summary="Get a contact", tag="contacts",
        page="contacts/get-contact", answer=Contact, documented_errors=(404,),
    ),
)  # fmt: skip
