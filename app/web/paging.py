"""Pages of lists, for the web; the reads themselves use `app.kernel.paging`."""

from app.kernel.paging import PAGE_SIZE, Page, page_of

__all__ = ["PAGE_SIZE", "Page", "page_of"]
