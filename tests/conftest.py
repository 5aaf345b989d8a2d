"""What every test shares: one thread for numerics.

Tests run beside other processes (studios, workers, a Chromium); with one OpenMP pool per library and process the
threads of a two-core machine wait for each other, and a fit takes ten times as long as with one thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the first import of NumPy, scikit-learn or PyTorch
