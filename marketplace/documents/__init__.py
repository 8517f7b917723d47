"""Papers that the marketplace issues, one aggregate a module; composed of `app.documents.pdf`, registered for checking."""
