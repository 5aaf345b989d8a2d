"""Feature-group networks on tables: variables, operators, canonical form, facts, counting, graph and module.

``rules`` holds what a space allows, ``canonical`` the one form of isomorphic architectures, ``limits`` and ``repair``
what brings operators' results back inside, ``structure`` the exact facts. ``layout`` and ``module`` build the network;
nothing here imports torch except ``module``.
"""
