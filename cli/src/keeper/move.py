# Runs the mover beside the keeper, in whose directory the bundle was unpacked.
packed = zlib.decompress(base64.b64decode(sys.argv[2]))
sys.path.insert(0, d)
sys.argv = ["mover.py", *sys.argv[3:]]
exec(compile(packed, "mover.py", "exec"), {"__name__": "__main__", "__file__": d + "/mover.py"})
