"""The API as strangers read it: an OpenAPI 3.1 document, and a page, made from the contract and its comments."""
