"""Makes garbage collection rare, for as long as the process lives. A door imports this first of all.

What a cycle makes goes by its reference counts, but for a hundred objects, and nearly all that the collector
would walk over still lives. So do the objects that importing makes: walking over them again and again is a
twelfth of the CPU that importing takes.
"""

import gc

COLLECTED_AFTER = 400_000
"""New objects after which the collector looks for circles among them, instead of after 2,000: a cycle of
3,000 markets makes half as many."""

gc.set_threshold(COLLECTED_AFTER)
