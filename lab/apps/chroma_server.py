"""The `chroma` command of the package, without the three seconds of imports that its Python wrapper adds: the server is
a native one, as in the image."""

import sys

import chromadb_rust_bindings

if __name__ == "__main__":
    chromadb_rust_bindings.cli(["chroma", *sys.argv[1:]])
