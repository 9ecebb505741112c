"""Fast inference: a graph and a batch size to a plan, which runs again and again.

    Graph ──stages──▶ Stage ──drafting──▶ Step, Tensor ──▶ Draft ──weights──▶ Plan ──Team──▶ outputs

A stage is a layer with what is fused into it; a step knows how to run one on the layouts and memory that
the draft gives it, as a list of NumPy calls; a team of threads goes through the lists.
"""

from netcalc.backend.plan.plan import Plan, drafted

__all__ = ["Plan", "drafted"]
