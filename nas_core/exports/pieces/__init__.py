"""The pieces that exported source files are put together from: plain PyTorch, nothing of NASight.

Every class and function here is copied into exported files as it stands, so each depends only on PyTorch, NumPy, the
standard library, and other pieces of its own file. N rows, D encoded columns, F maps.
"""
