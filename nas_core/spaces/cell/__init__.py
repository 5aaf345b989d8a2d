"""Networks of repeated cells with the topology of NAS-Bench-201 (Dong & Yang 2020, arXiv 2001.00326).

``topology`` holds what a cell is and when two of them compute the same, ``rules`` what a space allows, ``structure``
the costs (the one source for facts, graph and module), ``operators`` drawing, varying and repair. Only ``network``
imports torch.
"""
