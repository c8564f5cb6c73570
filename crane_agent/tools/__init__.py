"""The tools a model is offered: the probes, and the verdict that ends the run."""
