"""Documents: PDF primitives, the register of issued documents and the public page that checks them."""
