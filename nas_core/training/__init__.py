"""Training: many candidates in one LightningModule and one Trainer.fit.

``fit`` is the door (``train_pack``, ``train_each``) for every family. Nothing one candidate does can reach another.

Networks of tables train by kernels of our own on a processor (``compiled``), each by itself. On an accelerator they
train as one pack of batched products, and everywhere a pack is computed as one for predictions and measures: it is
laid out by ``plan`` into a few *sections* of equal padded shapes; a ``section`` computes its sub-networks with one
batched product per layer; ``network`` joins the sections; ``optimiser`` updates all candidates element by element;
``engine`` trains them epoch by epoch; ``module`` is the LightningModule that drives it; ``trained`` is what remains. No
number of one candidate enters a sum of another. ``candidate`` is what is known of one while it trains.

Networks of images and sequences are modules of their own. ``initialise`` draws their weights, ``side_by_side`` is the
LightningModule that trains some at the same time, those of tables too, ``networks`` hands each over when it has
finished, ``module_pack`` is what remains. ``learner`` is what is known of a network while it trains (``rates``: how its
learning rate goes).
``packing`` chooses how: on a processor kernels of our own (``compiled``) train each; on an accelerator the operations
of many networks are computed together (``batched``); ``network_training`` trains one by torch.

``inheritance`` starts a child from its parent's weights, where they fit; a watch (``progress``) looks on and may end
single candidates. ``untrained`` builds either kind with the weights its training starts from, ``shortage`` knows when
memory ran out.
"""
