# SPDX-License-Identifier: Apache-2.0
"""One module for each thing that is measured.

A part has `measure(bench, store, seed, run)`, which is called once per run and puts its figures into the dict `run`,
and `lines(m)`, which makes rows of the table, pairs of label and text, from the medians of those figures; `headlines(m)`, if it is there, says which of them
count: label, value, format and whether more is better, for the table of the worse of both densities. A part that is
not for every store has `wants(bench, store)` too. A new part: a module here, and its name in ALL, in the order of the table.
Parts run in turns, one after the other in each run, so that a slow moment of the machine meets all alike."""

from parts import bed, bgen, cost, cycle, kernels, plink, randomly, readers, ready

ALL = {"ready": ready, "cycle": cycle, "bed": bed, "random": randomly, "readers": readers, "bgen": bgen, "cost": cost, "plink": plink, "kernels": kernels}
