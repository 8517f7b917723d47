"""China Post EMS open platform: codec, mapping, HTTP client and the code table, each on its own."""
