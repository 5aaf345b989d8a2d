"""Training: many candidates as one pack, in one LightningModule and one Trainer.fit.

``fit`` is the door (``train_pack``). A pack is laid out by ``plan`` into a few *sections* of equal padded shapes; a
``section`` computes its sub-networks forward and backward with one batched product per layer; ``network`` joins the
sections; ``optimiser`` updates all candidates element by element; ``module`` is the LightningModule that drives them;
``trained`` is what remains. Nothing one candidate does can reach another: no number of one enters a sum of another.
"""
