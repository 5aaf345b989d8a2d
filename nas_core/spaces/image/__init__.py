"""Convolutional networks on images: variables, operators, canonical form, facts, counting, graph and module.

``rules`` holds what a space allows, ``plan`` the layers of a network with their shapes and costs (the one source for
facts, graph and module), ``canonical`` the one form of isomorphic networks, ``repair`` what brings operators' results
back inside. Nothing here imports torch except ``module``.
"""
