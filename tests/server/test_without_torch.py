"""Building engines, serving and asking need no torch."""

import subprocess
import sys

CODE = """
import sys
for name in ("torch", "diffusers", "transformers", "matplotlib", "scipy"):
    sys.modules[name] = None  # importing it is an error from here on
import engines.__main__, engines.build, engines.configs, engines.install, engines.sources
import server_config.__main__, scripts.first_portraits, omokage.__main__, omokage.edge, omokage.analysis
"""


THIN = """
import sys
for name in ("cv2", "onnxruntime", "torch"):
    sys.modules[name] = None
import omokage, omokage.__main__
print(omokage.Client)
"""


def test_a_client_needs_no_opencv() -> None:
    done = subprocess.run([sys.executable, "-c", THIN], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_that_runs_a_server_or_asks_one_imports_torch() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
