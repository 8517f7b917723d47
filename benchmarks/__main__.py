"""`python -m benchmarks`: every benchmark, one after the other."""

from benchmarks import pages, search

if __name__ == "__main__":
    pages.main([])
    search.main([])
