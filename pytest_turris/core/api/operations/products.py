"""Products: get."""

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.resources.products import Product
from pytest_turris.core.wire.errors import NotFound


@operation(
    "GET",
    "/v1/products/{productId}",
    summary="Get a product",
    tag="products",
    page="products/get-product",
    operation_id="ProductsController_getProduct_v1",
    documented_errors=(401,),
)
def get_product(call: Call) -> Product:
    """Get a product; 404 for an unknown id (assumed)."""
    product = call.records.products.find(call.parameters["productId"])
    if product is None:
        raise NotFound("Product not found", reason="no product with this id")
    return product
