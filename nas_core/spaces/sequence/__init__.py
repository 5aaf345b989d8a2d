"""Networks on sequences: convolutions, recurrent layers and visible attention over numbers or words.

``rules`` holds what a space allows, ``plan`` the parts of a network with their shapes and costs (the one source for the
facts, the graph and the module), ``windows`` which steps act together, ``canonical`` the one form of isomorphic
networks, ``repair`` what brings the results of operators back inside. Only ``network`` and ``blocks`` import torch.
"""
