"""Training on a processor by kernels that numba compiles once on a machine (decisions 20 and 22).

A network is rows of numbers (``fields``, ``kinds``) and tables of places (``tables``), written by ``plan``,
``sequence_plan`` and ``table_plan``. ``lanes`` are vectors as values, ``blocks`` of them stay in registers, and
``products`` do nearly all the work. ``step`` goes forwards and backwards, kernel by kernel through their addresses
(``calls``); ``updates`` are the optimisers. ``training`` trains a network of images or sequences; ``table_network`` and
``tables_training`` those of tables, a hundred steps a call (``table_steps``). ``jit`` says how is compiled and what is
kept on disk, ``ready`` compiles what a family needs.
"""
